package operations

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/test/quick"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

// TestMain is zkCli.sh too, under that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "zkCli.sh" {
		if err := zkCli(os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "zkCli.sh:", err)
			os.Exit(1)
		}
		return
	}
	quick.LeaveOut()
	code := m.Run()
	zkdserver.CleanUp()
	if err := untried(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// zkCli does what the page and these tests need of ZooKeeper's command line. Unlike that it fails with the first
// command that fails.
func zkCli(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 || args[0] != "-server" {
		return fmt.Errorf("arguments %q", args)
	}
	c, err := wire.Dial(args[1], patience)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Connect(wire.ConnectRequest{TimeoutMs: 30_000, Password: make([]byte, 16)}, patience); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for xid := int32(1); lines.Scan(); xid++ {
		words := strings.Fields(lines.Text())
		op, body, err := request(words)
		if err != nil {
			return err
		}
		reply, err := call(c, xid, op, body)
		if err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
		fmt.Fprintf(out, "%s: %s\n", words[0], reply.Data)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	_, err = call(c, 1<<30, wire.OpClose, nil)
	return err
}

func call(c *wire.Conn, xid int32, op wire.Op, body wire.Body) (*wire.Reply, error) {
	if op == wire.OpAuth {
		xid = -4
	}
	if err := c.Send(xid, op, body); err != nil {
		return nil, err
	}
	for end := time.Now().Add(patience); ; {
		_, reply, err := c.Next(time.Until(end))
		if err != nil {
			return nil, err
		}
		if reply == nil {
			continue
		}
		if reply.Err != 0 {
			return nil, fmt.Errorf("%v", reply.Err)
		}
		return reply, nil
	}
}

// request reads a command.
func request(words []string) (wire.Op, wire.Body, error) {
	change := wire.Reconfig{Joining: wire.Null, Leaving: wire.Null, Members: wire.Null, ConfigID: -1}
	switch command := strings.Join(words[:min(2, len(words))], " "); {
	case len(words) == 3 && words[0] == "addauth":
		return wire.OpAuth, wire.Auth{Scheme: words[1], Data: []byte(words[2])}, nil
	case len(words) == 3 && command == "reconfig -add":
		change.Joining = words[2]
		return wire.OpReconfig, change, nil
	case len(words) == 3 && command == "reconfig -remove":
		change.Leaving = words[2]
		return wire.OpReconfig, change, nil
	case len(words) == 3 && words[0] == "create":
		return wire.OpCreate, wire.Create{Path: words[1], Data: []byte(words[2]), ACL: wire.OpenACL}, nil
	case len(words) == 2 && words[0] == "get":
		return wire.OpGetData, wire.PathWatch{Path: words[1]}, nil
	case len(words) == 2 && words[0] == "sync":
		return wire.OpSync, wire.Path(words[1]), nil
	case command == "config":
		return wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config"}, nil
	}
	return 0, nil, fmt.Errorf("unknown command %q", words)
}
