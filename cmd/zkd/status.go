package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"zkd/health"
)

const aboutStatus = `Ask every server of an ensemble what it is and how far it is, and say whether
all is well. The servers are those that the ensemble has agreed on, found by
way of those in the zoo.cfg, which need not be that of a server on this
machine. A server that is no part of an ensemble is asked over its client port.

LAG is in log entries behind the leader, CONTACT how long ago the server was
last known to follow, or to be, a leader with a majority. The exit code is 0 if
every listed server is a member in step, 1 if not.`

func newStatus() *cobra.Command {
	var o serverOptions
	var asJSON bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "status [zoo.cfg]",
		Short: "Say how the servers of an ensemble are",
		Long:  aboutStatus,
		Args:  atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			return status(cmd.Context(), cmd.OutOrStdout(), o, timeout, asJSON)
		},
	}
	addConfigFlags(cmd, &o)
	cmd.Flags().BoolVar(&asJSON, "json", false, "everything, for a program")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long a server may take to answer")
	return cmd
}

func status(ctx context.Context, out io.Writer, o serverOptions, timeout time.Duration, asJSON bool) error {
	if o.config == "" {
		return &exitCode{exitConfig, errors.New("which ensemble? zkd status --config zoo.cfg")}
	}
	cfg, _, err := environment().LoadOutside(o.config, o.properties())
	if err != nil {
		return err
	}
	h := health.Ask(ctx, cfg, timeout).Judge()
	if asJSON {
		b, err := json.MarshalIndent(h, "", "  ")
		if err != nil {
			return fmt.Errorf("status: %w", err)
		}
		fmt.Fprintf(out, "%s\n", b)
	} else {
		fmt.Fprint(out, h)
	}
	if !h.Healthy() {
		return &exitCode{code: exitError} // what was printed says why
	}
	return nil
}
