package recipes

import (
	"context"
	"errors"
	"slices"

	"github.com/go-zookeeper/zk"
)

// Join makes a client a member of a group for as long as its session lasts. A member that comes back after a crash
// finds its former self there until that session ends, and waits for it: else the group would lose it when the old
// znode goes.
func Join(ctx context.Context, conn *zk.Conn, group, name string, data []byte) error {
	path := group + "/" + name
	for {
		_, err := conn.Create(path, data, zk.FlagEphemeral, openACL)
		if transient(err) {
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		if !errors.Is(err, zk.ErrNodeExists) {
			return err
		}
		_, stat, change, err := conn.GetW(path)
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
		case stat.EphemeralOwner == conn.SessionID():
			return nil // a create that was answered by a lost connection
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Members calls changed with the names of the members, sorted, and again whenever they are others. It sees the last
// state of several quick changes, not each.
func Members(ctx context.Context, conn *zk.Conn, group string, changed func(names []string)) error {
	var last []string
	for first := true; ; {
		names, _, change, err := conn.ChildrenW(group)
		if transient(err) {
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		slices.Sort(names)
		if first || !slices.Equal(names, last) {
			changed(names)
		}
		first, last = false, names
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
