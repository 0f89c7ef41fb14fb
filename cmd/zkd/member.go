package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zkd/conf"
	"zkd/consensus"
	"zkd/server/member"
)

const aboutMember = `Show and change who is a member of an ensemble, over the second peer port of its
servers, and authenticated as that port is (zkd.quorum.secretFile).

The servers are found by the zoo.cfg of any of them (--config), or by one
address (--peer). A change may be asked for again: what is so already stays
so. It is made as a reconfig is, when a majority of the new voters is in contact.`

// memberOptions are the flags of the member commands.
type memberOptions struct {
	serverOptions
	peer, secretFile string
	timeout          time.Duration
	wait             bool
}

func newMember() *cobra.Command {
	var o memberOptions
	cmd := &cobra.Command{Use: "member", Short: "Show and change who is a member of an ensemble", Long: aboutMember, Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	addConfigFlags(cmd, &o.serverOptions)
	flags := cmd.PersistentFlags()
	flags.AddFlagSet(cmd.Flags())
	flags.StringVar(&o.peer, "peer", "", "host:port of a server's second peer port (3888), in the place of a zoo.cfg")
	flags.StringVar(&o.secretFile, "secret-file", "", "with --peer: the file of zkd.quorum.secretFile")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "how long to try")
	change := func(use, short string, build func(a *memberAdmin, args []string) (member.Request, error)) {
		sub := &cobra.Command{
			Use: use, Short: short, Args: someServers,
			RunE: func(cmd *cobra.Command, args []string) error {
				return o.change(cmd.Context(), cmd.OutOrStdout(), func(a *memberAdmin) (member.Request, error) { return build(a, args) })
			},
		}
		sub.Flags().BoolVar(&o.wait, "wait", false, "also until the servers are what they are to be, in contact and up to date")
		cmd.AddCommand(sub)
	}
	change("add ID|server.ID=LINE...", "Add servers, or give members another line. A server can be given by its number alone if the file of --config has its line", (*memberAdmin).addition)
	change("remove ID...", "Take servers out", func(_ *memberAdmin, args []string) (r member.Request, err error) {
		r.Remove, err = serverIDs(args)
		return r, err
	})
	change("promote ID...", "Give observers a vote", func(_ *memberAdmin, args []string) (r member.Request, err error) {
		r.Promote, err = serverIDs(args)
		return r, err
	})
	cmd.AddCommand(&cobra.Command{
		Use: "list [zoo.cfg]", Short: "Print the members and their version", Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			return o.list(cmd.Context(), cmd.OutOrStdout())
		},
	})
	return cmd
}

func someServers(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &exitCode{exitConfig, errors.New("which servers?")}
	}
	return nil
}

func serverIDs(args []string) (ids []int64, err error) {
	for _, a := range args {
		id, err := strconv.ParseInt(a, 10, 64)
		if err != nil {
			return nil, &exitCode{exitConfig, fmt.Errorf("%q is no server id", a)}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// list prints what /zookeeper/config has.
func (o *memberOptions) list(ctx context.Context, out io.Writer) error {
	a, err := o.open()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	answer, err := a.await(ctx, func() member.Request { return member.Request{} }, func(*member.Answer) (bool, error) { return true, nil })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\nversion=%x\n", strings.Join(answer.Servers, "\n"), uint64(answer.Version))
	return err
}

// change asks for a change until it is made.
func (o *memberOptions) change(ctx context.Context, out io.Writer, build func(*memberAdmin) (member.Request, error)) error {
	a, err := o.open()
	if err != nil {
		return err
	}
	r, err := build(a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	r.Propose = true
	answer, err := a.await(ctx, func() member.Request { return r }, func(answer *member.Answer) (bool, error) {
		switch {
		case answer.Done:
			if a.missing = ""; o.wait {
				a.missing = r.Waiting(answer)
			}
			return a.missing == "", nil
		case answer.Busy:
			a.missing = "another change is under way"
		case answer.Pending:
			a.missing, r.Propose = "the new voters are waited for", false
		case !r.Propose:
			return false, errors.New("given up by the leader: too few of the new voters are in contact, or they do not catch up")
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	missing := ""
	if why := r.Waiting(answer); why != "" {
		missing = " (" + why + ")"
	}
	_, err = fmt.Fprintf(out, "done%s: version=%x\n", missing, uint64(answer.Version))
	return err
}

// memberAdmin asks servers until it finds the leader.
type memberAdmin struct {
	file    []conf.Server // of the zoo.cfg
	source  string        // what has, or has not, a line of a server
	addrs   []string      // second peer ports, the one to ask first in front
	secret  []byte
	missing string // what is waited for
}

func (o *memberOptions) open() (*memberAdmin, error) {
	switch {
	case o.peer != "" && o.config != "":
		return nil, &exitCode{exitConfig, errors.New("--config or --peer, not both")}
	case o.peer != "":
		a := &memberAdmin{addrs: []string{o.peer}, source: "with --peer there is"}
		if o.secretFile != "" {
			b, err := os.ReadFile(o.secretFile)
			if err != nil {
				return nil, &exitCode{exitConfig, err}
			}
			a.secret = []byte(strings.TrimSpace(string(b)))
		}
		return a, nil
	case o.config == "" && !environment().Configures():
		return nil, &exitCode{exitConfig, errors.New("which ensemble? --config zoo.cfg, or --peer host:port")}
	}
	cfg, _, err := environment().LoadOutside(o.config, o.properties())
	if err != nil {
		return nil, err
	}
	if !cfg.EnsembleMode() {
		return nil, &exitCode{exitConfig, fmt.Errorf("%s is that of a single server, which is no ensemble", o.config)}
	}
	a := &memberAdmin{file: cfg.Servers, source: "the configuration has", secret: []byte(cfg.QuorumSecret.Reveal())}
	if cfg.File != "" {
		a.source = cfg.File + " has"
	}
	a.learn(cfg.Servers)
	return a, nil
}

// addition is the request to add servers.
func (a *memberAdmin) addition(args []string) (r member.Request, err error) {
	for _, arg := range args {
		line := arg
		if !strings.Contains(arg, "=") {
			ids, err := serverIDs([]string{arg})
			if err != nil {
				return r, err
			}
			s := member.List(a.file).Find(ids[0])
			if s == nil {
				return r, &exitCode{exitConfig, fmt.Errorf("%s no line server.%d; write server.%[2]d=host:port:port;clientPort", a.source, ids[0])}
			}
			line = member.Line(*s)
		}
		if _, err := member.Parse(line); err != nil {
			return r, &exitCode{exitConfig, err}
		}
		r.Add = append(r.Add, line)
	}
	return r, nil
}

// learn notes where more servers are to be reached.
func (a *memberAdmin) learn(servers []conf.Server) {
	for _, s := range servers {
		for _, p := range s.Addrs {
			if addr := p.Election().String(); !slices.Contains(a.addrs, addr) {
				a.addrs = append(a.addrs, addr)
			}
		}
	}
}

// askMembersEvery is the time between two questions.
const askMembersEvery = 200 * time.Millisecond

// await asks the leader until ended says so, or ctx ends.
func (a *memberAdmin) await(ctx context.Context, ask func() member.Request, ended func(*member.Answer) (bool, error)) (*member.Answer, error) {
	for {
		answer, err := a.askLeader(ctx, ask())
		if err == nil {
			if answer.Refused != "" {
				return nil, &exitCode{exitError, errors.New(answer.Refused)}
			}
			done, err := ended(answer)
			if done || err != nil {
				return answer, err
			}
		} else {
			a.missing = err.Error()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("not done in time: %s", a.missing)
		case <-time.After(askMembersEvery):
		}
	}
}

// askLeader asks one server after the other until one leads.
func (a *memberAdmin) askLeader(ctx context.Context, r member.Request) (*member.Answer, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	why := []error{errors.New("no leader answers")}
	for i := 0; i < len(a.addrs) && ctx.Err() == nil; i++ {
		var answer member.Answer
		b, err := consensus.AskMembers(ctx, a.addrs[i], a.secret, request)
		if err == nil {
			err = json.Unmarshal(b, &answer)
		}
		if err != nil {
			why = append(why, err)
			continue
		}
		if l, err := member.Parse(strings.Join(answer.Servers, "\n")); err == nil {
			a.learn(l)
		}
		if answer.Leads {
			a.addrs[0], a.addrs[i] = a.addrs[i], a.addrs[0]
			return &answer, nil
		}
	}
	return nil, errors.New(strings.ReplaceAll(errors.Join(why...).Error(), "\n", "; "))
}
