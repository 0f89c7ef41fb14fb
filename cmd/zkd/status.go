package main

import (
	"context"
	"encoding/json"
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
Without a zoo.cfg one server is asked, over its client port: 127.0.0.1:2181 or
that of --server.

LAG is in log entries behind the leader, CONTACT how long ago the server was
last known to follow, or to be, a leader with a majority. The exit code is 0 if
every listed server is a member in step, 1 if not; of one server, 0 if it
serves clients.`

func newStatus() *cobra.Command {
	var o serverOptions
	var asJSON bool
	var addr string
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
			if addr == "" && (o.config != "" || environment().Configures()) {
				return status(cmd.Context(), cmd.OutOrStdout(), o, timeout, asJSON)
			}
			one, err := o.clientAddr(addr)
			if err != nil {
				return err
			}
			return statusOfOne(cmd.Context(), cmd.OutOrStdout(), one, timeout, asJSON)
		},
	}
	addConfigFlags(cmd, &o)
	cmd.Flags().StringVar(&addr, "server", "", "ask one server, by host:port of its client port")
	cmd.Flags().BoolVar(&asJSON, "json", false, "everything, for a program")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long a server may take to answer")
	return cmd
}

func status(ctx context.Context, out io.Writer, o serverOptions, timeout time.Duration, asJSON bool) error {
	cfg, _, err := environment().LoadOutside(o.config, o.properties())
	if err != nil {
		return err
	}
	h := health.Ask(ctx, cfg, timeout).Judge()
	if asJSON {
		if err := printJSON(out, h); err != nil {
			return err
		}
	} else {
		fmt.Fprint(out, h)
	}
	if !h.Healthy() {
		return &exitCode{code: exitError} // what was printed says why
	}
	return nil
}

func printJSON(out io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}
