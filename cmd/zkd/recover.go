package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/store"
	"zkd/server"
)

const aboutRecover = `Make this one server the only member of a new cluster, with the data on its
own disk. This is for an ensemble that has lost a majority of its servers for
good, and for nothing else: where a majority can be started, start it.

Without --yes it says what it would do and changes nothing. The server must not
run. Recover the server that is furthest ahead; run it without --yes on all that
are left and compare the last entries: the higher term, then the higher number.`

func newRecover() *cobra.Command {
	var o serverOptions
	var yes bool
	cmd := &cobra.Command{
		Use:   "recover [zoo.cfg]",
		Short: "Go on with one server of an ensemble that is lost",
		Long:  aboutRecover,
		Args:  atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			return recoverServer(cmd.OutOrStdout(), o, yes)
		},
	}
	addConfigFlags(cmd, &o)
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// take accepts the configuration file as an argument, too.
func (o *serverOptions) take(args []string) error {
	if len(args) == 0 {
		return nil
	}
	if o.config != "" && o.config != args[0] {
		return &exitCode{exitConfig, fmt.Errorf("two configuration files: %s and %s", o.config, args[0])}
	}
	o.config = args[0]
	return nil
}

func recoverServer(out io.Writer, o serverOptions, yes bool) (err error) {
	if o.config == "" && len(o.defines) == 0 {
		return &exitCode{exitConfig, errors.New("which server? zkd recover zoo.cfg")}
	}
	log, err := newLogger("warn")
	if err != nil {
		return err
	}
	cfg, _, err := o.load(log)
	if err != nil {
		return err
	}
	r, err := server.OpenRecovery(cfg, log)
	switch {
	case errors.Is(err, store.ErrInUse):
		return &exitCode{exitData, fmt.Errorf("stop the server first: %w", err)}
	case err != nil:
		return &exitCode{exitData, err}
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := describe(out, cfg, r); err != nil {
		return err
	}
	if !yes {
		_, err := fmt.Fprintln(out, "\nNothing was changed. To do it: the same with --yes")
		return err
	}
	done, err := server.Recover(cfg, log, r)
	if err != nil {
		return &exitCode{exitData, err}
	}
	_, err = fmt.Fprintf(out, "\nDone: cluster %s, raft id %s; %d znodes and %d sessions, last zxid 0x%x. Start the server.\n",
		done.Cluster, done.RaftID, done.Znodes, done.Sessions, done.Zxid)
	return err
}

// describe says what there is, what becomes of it, and what may be lost.
func describe(out io.Writer, cfg *conf.Config, r *consensus.Recovery) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Server %d, data in %s\n", r.ServerID, cfg.DataDir)
	fmt.Fprintf(&b, "  cluster     %s\n", text(r.Cluster, "has no id yet"))
	fmt.Fprintf(&b, "  raft id     %s\n", r.RaftID)
	fmt.Fprintf(&b, "  members     %s\n", memberText(r))
	fmt.Fprintf(&b, "  last entry  %d of term %d\n", r.Index, r.Term)
	fmt.Fprintf(&b, "  snapshot    %s\n", text(nonzero(r.Snapshot), "none"))
	if r.Distrust != "" {
		fmt.Fprintf(&b, "  CAUTION     this server was to copy its state from the others: %s\n", r.Distrust)
	}
	others := ""
	if ids := r.Others(); len(ids) > 0 {
		others = " (server " + strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]") + ")"
	}
	fmt.Fprintf(&b, `
A recovery makes it the only member of a new cluster:
  - Every entry that it has counts as committed, also those of which no client
    was told that they are.
  - What the others%[1]s had and this server had not is lost, although
    clients were told that it is written.
  - The others can never come back with the data they have. Make sure that
    they are stopped and stay so: enough of them are an ensemble still. To take
    one in again, remove raft and raft.id in its dataDir%[2]s
    and start it; the list of members stays as it is.
  - Zxids go on in a higher epoch, sessions live on.
`, others, logText(cfg))
	_, err := io.WriteString(out, b.String())
	return err
}

// logText names the log's directory where it is another.
func logText(cfg *conf.Config) string {
	if cfg.DataLogDir == cfg.DataDir {
		return ""
	}
	return " and raft in its dataLogDir"
}

func memberText(r *consensus.Recovery) string {
	var list []string
	for _, m := range r.Members {
		s := m.RaftID
		if !m.Voter {
			s += " (does not vote)"
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

func text(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func nonzero(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
