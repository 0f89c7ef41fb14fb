package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"zkd/server"
)

const about = `zkd is a coordination server that ZooKeeper clients take for ZooKeeper.

Without a command it starts a server on 127.0.0.1:2181 with its data under
./zkd-data. Exit codes: 0 stopped as asked, 1 failed while running, or a port
is in use, 2 bad arguments or configuration, 3 data directory not usable, 14 a
port for the other servers not usable, 134 aborted by a fault of zkd or without
memory.`

func newRoot() *cobra.Command {
	var o serverOptions
	root := &cobra.Command{
		Use:           "zkd",
		Short:         "A ZooKeeper-compatible coordination server",
		Long:          about,
		Version:       server.FullVersion(),
		Args:          noCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o) },

		SuggestionsMinimumDistance: 2,
	}
	addServerFlags(root, &o)
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitCode{exitConfig, err} })
	root.AddCommand(newServer(), newCheckConfig(), newMember(), newRecover(), newStatus(), newHealth(), newVersion())
	return root
}

// noCommand refuses arguments, and says what may have been meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &exitCode{exitConfig, errors.New(meant(cmd, args[0]))}
}

func meant(cmd *cobra.Command, arg string) string {
	if !cmd.HasSubCommands() {
		return fmt.Sprintf("%s takes no arguments, and there is %q", cmd.CommandPath(), arg)
	}
	if _, err := os.Stat(arg); err == nil || strings.HasSuffix(arg, ".cfg") {
		return fmt.Sprintf("%s is no command. To run a server with that file: zkd server %[1]s", arg)
	}
	if near := cmd.SuggestionsFor(arg); len(near) > 0 {
		return fmt.Sprintf("there is no command %q; was %s meant? %s --help lists what there is", arg,
			cmd.CommandPath()+" "+strings.Join(near, " or "+cmd.CommandPath()+" "), cmd.CommandPath())
	}
	return fmt.Sprintf("there is no command %q; %s --help lists what there is", arg, cmd.CommandPath())
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
		Use:        "server [zoo.cfg]",
		SuggestFor: []string{"start", "start-foreground", "restart", "run", "serve"},
		Short:      "Run a server from a zoo.cfg",
		Long: `Run a server from a zoo.cfg in ZooKeeper's own format. Without a file it
starts as zkd alone does. What a ZooKeeper takes as a property of its JVM is
given by the same name: -D zookeeper.skipACL=yes -D jute.maxbuffer=4194304

SIGTERM and SIGINT stop it in good order. So does SIGHUP, which a terminal
sends when it is closed, unless the server was started by nohup.`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			return serve(cmd.Context(), o)
		},
	}
	addConfigFlags(cmd, &o)
	addServerFlags(cmd, &o)
	return cmd
}

func addServerFlags(cmd *cobra.Command, o *serverOptions) {
	cmd.Flags().StringVar(&o.port, "port", "", "port for clients on 127.0.0.1, without a zoo.cfg (default 2181)")
	cmd.Flags().StringVar(&o.data, "data", "", "directory for the data, without a zoo.cfg (default ./zkd-data)")
	cmd.Flags().StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
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
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.config = args[0]
			}
			if o.config == "" && !environment().Configures() {
				return &exitCode{exitConfig, fmt.Errorf("which file? zkd check-config zoo.cfg")}
			}
			_, report, err := environment().Load(o.config, o.properties())
			fmt.Fprint(cmd.OutOrStdout(), foldFor(cmd.OutOrStdout(), report.String()))
			if err != nil {
				return &exitCode{code: exitConfig} // the report has all of it
			}
			return nil
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
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), server.FullVersion()) },
	}
}
