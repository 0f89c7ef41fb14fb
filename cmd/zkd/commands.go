package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"zkd/server"
)

const about = `zkd is a coordination server that ZooKeeper clients take for ZooKeeper.

Without a command it starts a server on 127.0.0.1:2181 with its data under
./zkd-data. Exit codes: 0 stopped as asked, 1 failed while running, 2 bad
arguments or configuration, 3 data directory not usable, 14 a
port for the other servers of an ensemble is in use, 134 aborted by a fault
of zkd or without memory.`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "zkd",
		Short:         "A ZooKeeper-compatible coordination server",
		Long:          about,
		Args:          noCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), serverOptions{}) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitCode{exitConfig, err} })
	root.AddCommand(newServer(), newCheckConfig(), newRecover(), newStatus(), newVersion())
	return root
}

func noCommand(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &exitCode{exitConfig, fmt.Errorf("unknown command %q; zkd --help lists what there is", args[0])}
	}
	return nil
}

func atMostOne(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return &exitCode{exitConfig, fmt.Errorf("one configuration file at most, not %q", args)}
	}
	return nil
}

func newServer() *cobra.Command {
	var o serverOptions
	cmd := &cobra.Command{
		Use:   "server [zoo.cfg]",
		Short: "Run a server from a zoo.cfg",
		Long: `Run a server from a zoo.cfg in ZooKeeper's own format. Without a file it
starts as zkd alone does. What a ZooKeeper takes as a property of its JVM is
given by the same name: -D zookeeper.skipACL=yes -D jute.maxbuffer=4194304`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			return serve(cmd.Context(), o)
		},
	}
	addConfigFlags(cmd, &o)
	cmd.Flags().StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func addConfigFlags(cmd *cobra.Command, o *serverOptions) {
	cmd.Flags().StringVar(&o.config, "config", "", "the zoo.cfg")
	cmd.Flags().StringArrayVarP(&o.defines, "define", "D", nil, "a property, key=value; may be given again")
}

func newCheckConfig() *cobra.Command {
	var o serverOptions
	cmd := &cobra.Command{
		Use:   "check-config zoo.cfg",
		Short: "Say of every key in a zoo.cfg what becomes of it",
		Args:  atMostOne,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.config = args[0]
			}
			if o.config == "" && !environment().Configures() {
				return &exitCode{exitConfig, fmt.Errorf("which file? zkd check-config zoo.cfg")}
			}
			_, report, err := environment().Load(o.config, o.properties())
			if report != nil {
				fmt.Fprint(os.Stdout, report)
			}
			return err
		},
	}
	addConfigFlags(cmd, &o)
	return cmd
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noCommand,
		Run:   func(*cobra.Command, []string) { fmt.Println(server.FullVersion()) },
	}
}
