package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zkd/health"
)

const aboutHealth = `Ask one server over its client port how it is, in one line, for probes of
containers and load balancers. The exit code is 0 or 1.

Without --ready it says whether the server answers: one that does not is to be
restarted. With --ready it says whether the server serves clients: it is in
contact with a leader that has a majority, and is not stopping. A server that
waits for the others of its ensemble answers and is not ready.

The server is that of the zoo.cfg or of the image's variables, that of --server,
or 127.0.0.1:2181.`

// quickAddr is where a server without a zoo.cfg listens.
const quickAddr = "127.0.0.1:2181"

func newHealth() *cobra.Command {
	var o serverOptions
	var ready bool
	var addr string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "health [zoo.cfg]",
		Short: "Say whether a server answers, or serves, for a probe",
		Long:  aboutHealth,
		Args:  atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			line, err := checkHealth(cmd.Context(), o, addr, ready, timeout)
			if err != nil {
				line = strings.NewReplacer(":\n  ", ": ", "\n  ", "; ").Replace(err.Error())
			}
			fmt.Fprintln(cmd.OutOrStdout(), line)
			if err != nil {
				return &exitCode{code: exitError} // the line says why
			}
			return nil
		},
	}
	addConfigFlags(cmd, &o)
	cmd.Flags().StringVar(&addr, "server", "", "the server, host:port of its client port")
	cmd.Flags().BoolVar(&ready, "ready", false, "whether it serves clients, not only whether it answers")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long it may take to answer")
	return cmd
}

func checkHealth(ctx context.Context, o serverOptions, addr string, ready bool, timeout time.Duration) (line string, err error) {
	if addr, err = o.clientAddr(addr); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if !ready {
		return addr + " answers", health.Live(ctx, addr)
	}
	s, err := health.Ready(ctx, addr)
	return fmt.Sprintf("%s serves clients (%s)", addr, s.Role), err
}

// clientAddr is the one server to ask: that given, that of the configuration,
// or that of a server without one.
func (o *serverOptions) clientAddr(given string) (string, error) {
	switch {
	case given != "" && o.config != "":
		return "", &exitCode{exitConfig, fmt.Errorf("either --server or a zoo.cfg, not %s and %s", given, o.config)}
	case given != "":
		return given, nil
	case o.config == "" && !environment().Configures():
		return quickAddr, nil
	}
	cfg, _, err := environment().Load(o.config, o.properties())
	if err != nil {
		return "", err
	}
	if addr := health.Local(cfg); addr != "" {
		return addr, nil
	}
	return "", errors.New("the configuration has no client port")
}

// oneStatus is what status says of one server.
type oneStatus struct {
	Address string `json:"address"`
	Serving bool   `json:"serving"`
	Role    string `json:"role,omitempty"`
	Zxid    string `json:"zxid,omitempty"`
	Error   string `json:"error,omitempty"`
}

// statusOfOne asks a server by its client port, which says nothing of the others.
func statusOfOne(ctx context.Context, out io.Writer, addr string, timeout time.Duration, asJSON bool) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	st, err := health.Ready(ctx, addr)
	one := oneStatus{Address: addr, Serving: err == nil, Role: st.Role, Zxid: fmt.Sprintf("%#x", uint64(st.Zxid))}
	if err != nil {
		one.Zxid, one.Error = "", err.Error()
	}
	switch {
	case asJSON:
		if err := printJSON(out, one); err != nil {
			return err
		}
	case err != nil:
		fmt.Fprintln(out, err)
	default:
		fmt.Fprintf(out, "%s serves clients (%s), zxid %s\n", addr, one.Role, one.Zxid)
		if one.Role != "standalone" {
			fmt.Fprintln(out, "For all servers of its ensemble: zkd status zoo.cfg")
		}
	}
	if err != nil {
		return &exitCode{code: exitError}
	}
	return nil
}
