package zkcli

import (
	"path/filepath"
	"strings"
	"testing"

	"zkd/test/clients/suite"
	"zkd/test/ports"
)

// TestShots runs zkCli as scripts do, a command a process: the exit codes, and which stream says what.
func TestShots(t *testing.T) {
	each(t, func(t *testing.T, c *cli, s suite.Server) {
		if r := c.shot(t, "", "-server", s.Addr(), "create", "/shot", "data"); r.code != 0 || r.errors != "Created /shot\n" {
			t.Fatalf("create: %d %q %q", r.code, r.out, r.errors)
		}
		for _, row := range []struct {
			name  string
			args  []string
			input string
			code  int
			last  string // of stdout; "" is not looked at
			errs  string // what stderr ends with; "" is nothing
		}{
			{name: "get", args: []string{"get", "/shot"}, last: "data"},
			{name: "wait for the connection", args: []string{"-waitforconnection", "ls", "/"}, last: "[shot, zookeeper]"},
			{name: "read-only allowed", args: []string{"-r", "ls", "/shot"}, last: "[]"},
			{name: "no node", args: []string{"get", "/nosuch"}, code: 1, errs: "Node does not exist: /nosuch\n"},
			{name: "bad path", args: []string{"create", "bad"}, code: 1, errs: "Path must start with / character\n"},
			{name: "reconfig", args: []string{"reconfig", "-add", "server.2=127.0.0.1:1:2;3"}, code: 1,
				errs: "KeeperErrorCode = Reconfig is disabled\n"},
			{name: "unknown command", args: []string{"nosuch"}, code: 127, errs: "Command not found: Command not found nosuch\n"},
			{name: "bad client configuration", code: 2, errs: "more\n",
				args: []string{"-client-configuration", filepath.Join(t.TempDir(), "none"), "ls", "/"}},
			{name: "piped, the last command fails", input: "get /shot\nget /nosuch\n", code: 1,
				errs: "Node does not exist: /nosuch\n"},
			{name: "piped, quit", input: "get /nosuch\nget /shot\nquit\n", errs: "Node does not exist: /nosuch\n"},
			{name: "piped, quit after a failure", input: "get /nosuch\nquit\n", code: 1, errs: "Node does not exist: /nosuch\n"},
		} {
			t.Run(row.name, func(t *testing.T) {
				r := c.shot(t, row.input, append([]string{"-server", s.Addr()}, row.args...)...)
				if r.code != row.code {
					t.Errorf("exit code %d, want %d", r.code, row.code)
				}
				if row.last != "" && r.last() != row.last {
					t.Errorf("stdout ends with %q, want %q", r.last(), row.last)
				}
				if !strings.HasPrefix(r.out, "Connecting to "+s.Addr()+"\n") {
					t.Errorf("stdout begins otherwise: %q", r.out)
				}
				if !strings.HasSuffix(r.errors, row.errs) || (row.errs == "" && r.errors != "") {
					t.Errorf("stderr is %q, want it to end with %q", r.errors, row.errs)
				}
			})
		}
	})
}

// TestUnreachable: nobody listens there.
func TestUnreachable(t *testing.T) {
	for _, minor := range releases {
		t.Run(minor, func(t *testing.T) {
			suite.Need(t, "zkcli-"+minor)
			t.Parallel()
			addr, err := ports.Addr()
			if err != nil {
				t.Fatal(err)
			}
			r := newCLI(t, minor).shot(t, "", "-server", addr, "-timeout", "1500", "ls", "/")
			if r.code != 1 || r.errors != "KeeperErrorCode = ConnectionLoss for /\n" {
				t.Errorf("exit code %d, stderr %q", r.code, r.errors)
			}
		})
	}
}

// TestChroot: a connect string may end in a path that all paths are below.
func TestChroot(t *testing.T) {
	each(t, func(t *testing.T, c *cli, s suite.Server) {
		all := c.open(t, s.Addr())
		all.want("create /jail", "Created /jail")
		in := c.open(t, s.Addr()+"/jail")
		in.want("create /x inside", "Created /x")
		in.want("ls -R /", "/", "/x")
		in.want("get -w /x", "inside")
		from := in.here()
		all.want("set /jail/x outside")
		in.awaitAfter(from, "type:NodeDataChanged path:/x")
		in.want("getEphemerals", "[]")
	})
}
