package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/store"
	"zkd/server"
)

const aboutRecover = `Make this one server the only member of a new cluster, with the data on its
own disk. This is for an ensemble that has lost a majority of its servers for
good, and for nothing else: where a majority can be started, start it.

With --damaged it is for one server whose own log or snapshots are damaged, and
that has no others to copy them from: it goes on with the newest snapshot that
is whole and the log behind it up to the first damage. What came later is lost.
Where dataLogDir has no log at all, it may just be another directory, or not be
mounted: that is refused, unless --log-lost says that the log is gone for good.

Without --yes it says what it would do and changes nothing. The server must not
run. Recover the server that is furthest ahead; run it without --yes on all that
are left and compare the last entries: the higher term, then the higher number.`

func newRecover() *cobra.Command {
	var o serverOptions
	var how recoverHow
	cmd := &cobra.Command{
		Use:   "recover [zoo.cfg]",
		Short: "Go on with one server of an ensemble that is lost, or with the undamaged part of its data",
		Long:  aboutRecover,
		Args:  atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			return recoverServer(cmd.OutOrStdout(), o, how)
		},
	}
	addConfigFlags(cmd, &o)
	cmd.Flags().BoolVar(&how.damaged, "damaged", false, "the server's own data is damaged: go on with the undamaged part")
	cmd.Flags().BoolVar(&how.logLost, "log-lost", false, "with --damaged: the log is gone for good, go on with the newest snapshot")
	cmd.Flags().BoolVar(&how.yes, "yes", false, "do it")
	return cmd
}

// recoverHow is what the flags say.
type recoverHow struct{ damaged, logLost, yes bool }

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

func recoverServer(out io.Writer, o serverOptions, how recoverHow) (err error) {
	if how.logLost && !how.damaged {
		return &exitCode{exitConfig, errors.New("--log-lost goes with --damaged")}
	}
	if o.config == "" && len(o.defines) == 0 && !environment().Configures() {
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
	r, err := openRecovery(cfg, log, how)
	if err != nil {
		return &exitCode{exitData, whose(err)}
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	text := describe(cfg, r)
	if len(r.Damage) > 0 {
		text = describeDamage(cfg, r)
	}
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	switch {
	case how.yes:
	case r.CutShort:
		_, err := fmt.Fprintln(out, "\nThe server does not start before it is finished. To do that: the same with --yes")
		return err
	default:
		_, err := fmt.Fprintln(out, "\nNothing was changed. To do it: the same with --yes")
		return err
	}
	done, err := server.Recover(cfg, log, r)
	if err != nil {
		return &exitCode{exitData, whose(err)}
	}
	_, err = fmt.Fprintf(out, "\nDone: cluster %s, raft id %s; %d znodes and %d sessions, last zxid 0x%x. Start the server.\n",
		done.Cluster, done.RaftID, done.Znodes, done.Sessions, done.Zxid)
	if err == nil && r.Kept != "" {
		_, err = fmt.Fprintf(out, "The damaged files are in %s; nobody needs them.\n", r.Kept)
	}
	return err
}

// openRecovery looks at the data of the server. What a start can do with is
// nothing to repair: that would only lose something.
func openRecovery(cfg *conf.Config, log *slog.Logger, how recoverHow) (*consensus.Recovery, error) {
	open := server.OpenRecovery
	if how.damaged {
		open = func(cfg *conf.Config, log *slog.Logger) (*consensus.Recovery, error) {
			return server.OpenSalvage(cfg, log, how.logLost)
		}
	}
	r, err := open(cfg, log)
	switch {
	case errors.Is(err, store.ErrInUse):
		return nil, fmt.Errorf("stop the server first: %w", err)
	case errors.Is(err, store.ErrCorrupt):
		return nil, fmt.Errorf("%w; zkd recover --damaged says what is whole and what would be lost", err)
	case err == nil && r.Startable:
		return nil, errors.Join(fmt.Errorf("no damage in %s that a start of the server could not do with: start it", cfg.DataDir), r.Close())
	}
	return r, err
}

// describe says what there is, what becomes of it, and what may be lost.
func describe(cfg *conf.Config, r *consensus.Recovery) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Server %d, data in %s\n", r.ServerID, cfg.DataDir)
	fmt.Fprintf(&b, "  cluster     %s\n", text(r.Cluster, "has no id yet"))
	fmt.Fprintf(&b, "  raft id     %s\n", r.RaftID)
	fmt.Fprintf(&b, "  members     %s\n", memberText(r))
	fmt.Fprintf(&b, "  last entry  %d of term %d\n", r.Index, r.Term)
	fmt.Fprintf(&b, "  snapshot    %s\n", text(nonzero(r.Snapshot), "none"))
	if r.CutShort {
		b.WriteString("  CUT SHORT   an earlier recovery was, and this one finishes it: it has what that one saved\n")
	}
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
	return b.String()
}

// describeDamage says what is damaged, what is whole, and what is lost.
func describeDamage(cfg *conf.Config, r *consensus.Recovery) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Server %d, data in %s\n", r.ServerID, cfg.DataDir)
	for _, err := range r.Damage {
		fmt.Fprintf(&b, "  damaged     %v\n", err)
	}
	snapshot := "none is whole; starting from the log"
	if r.Snapshot > 0 {
		snapshot = fmt.Sprintf("of entry %d, taken %s: the newest that is whole", r.Snapshot, r.Taken.Format(time.DateTime))
	}
	fmt.Fprintf(&b, "  snapshot    %s\n", snapshot)
	fmt.Fprintf(&b, "  last entry  %d of term %d: the last one before the damage\n", r.Index, r.Term)
	lost := fmt.Sprintf("all that was written after entry %d", r.Index)
	if r.Durable > r.Index {
		lost = fmt.Sprintf("entries %d to %d, and those after them if there were any", r.Index+1, r.Durable)
	}
	fmt.Fprintf(&b, `
It would go on with that, as the only member of a new cluster:
  - LOST: %s,
    although clients were told that it is written.
  - A copy of the data directories that is newer than entry %d has more: put
    that back instead, if there is one.
  - The damaged files are kept beside the others, in raft/aside. Zxids go on in a
    higher epoch, sessions live on.
`, lost, r.Index)
	if ids := r.Others(); len(ids) > 0 {
		fmt.Fprintf(&b, "  - CAUTION: it is a member of an ensemble, with server %s. While a majority of them lives,\n"+
			"    start this server instead: it copies its state from them.\n", strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]"))
	}
	return b.String()
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
