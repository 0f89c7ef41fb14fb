// Package recipes is ZooKeeper's classic recipes over the Go client, as docs/recipes.md explains them: short enough
// to read, complete enough to be tested against a server that is cut off and clients that are killed. Nothing else
// uses it.
package recipes

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// ErrLost is returned when the session that a lock, a lead or a place belongs to is over. What it protected may be in
// other hands already.
var ErrLost = errors.New("recipes: the session that this belonged to is over")

var openACL = zk.WorldACL(zk.PermAll)

// place is a place in a line: an ephemeral sequential znode. Who stands before whom is the order of creation, so
// czxids rise along a line.
type place struct {
	conn      *zk.Conn
	dir, name string
	czxid     int64
}

// enter takes the last place. The create is a protected one: its name holds a random part, by which the client finds
// a znode that was created right before the connection broke.
func enter(conn *zk.Conn, dir, kind string, data []byte) (*place, error) {
	path, err := conn.CreateProtectedEphemeralSequential(dir+"/"+kind+"-", data, openACL)
	if err != nil {
		return nil, err
	}
	p := &place{conn: conn, dir: dir, name: path[len(dir)+1:]}
	_, stat, err := conn.Exists(path)
	if err != nil {
		p.leave()
		return nil, err
	}
	p.czxid = stat.Czxid
	return p, nil
}

// await returns when nobody is before this place who blocks it. It watches one znode, the last of those that do:
// whoever leaves wakes one client at most, not the whole line.
func (p *place) await(ctx context.Context, blocks func(name string) bool) error {
	for {
		names, _, err := p.conn.Children(p.dir)
		if transient(err) {
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if !slices.Contains(names, p.name) {
			return ErrLost
		}
		before := ""
		for _, name := range names {
			if sequence(name) < sequence(p.name) && blocks(name) && sequence(name) > sequence(before) {
				before = name
			}
		}
		if before == "" {
			return nil
		}
		// A get leaves no watch behind when the znode is gone already; an exists would.
		_, _, change, err := p.conn.GetW(p.dir + "/" + before)
		switch {
		case errors.Is(err, zk.ErrNoNode):
			continue
		case transient(err):
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		select {
		case <-change:
			// Not always the end of the one before: look again.
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *place) path() string { return p.dir + "/" + p.name }

// leave gives the place up. A lost connection does not end the session, so it is tried until it is certain.
func (p *place) leave() error {
	for {
		err := p.conn.Delete(p.path(), -1)
		switch {
		case errors.Is(err, zk.ErrNoNode):
			return ErrLost
		case !transient(err):
			return err
		}
		time.Sleep(retryPause)
	}
}

// sequence is the number that the server appended to a name; -1 when there is none.
func sequence(name string) int64 {
	n, err := strconv.ParseInt(name[max(0, len(name)-10):], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// inOrder sorts names by their sequence numbers; random parts before these do not matter.
func inOrder(names []string) {
	slices.SortFunc(names, func(a, b string) int { return int(sequence(a) - sequence(b)) })
}

// ensure creates a path of persistent znodes where they are missing.
func ensure(conn *zk.Conn, path string) error {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if _, err := conn.Create(path[:i], nil, 0, openACL); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return err
		}
	}
	return nil
}

const retryPause = 20 * time.Millisecond

// transient tells a lost connection, after which the session goes on, from refusals and the session's end.
func transient(err error) bool {
	return errors.Is(err, zk.ErrConnectionClosed) || errors.Is(err, zk.ErrNoServer)
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(retryPause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func everybody(string) bool { return true }

func ofKind(kind string) func(string) bool {
	return func(name string) bool { return strings.Contains(name, "-"+kind+"-") }
}
