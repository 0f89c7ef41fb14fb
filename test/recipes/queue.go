package recipes

import (
	"context"
	"errors"

	"github.com/go-zookeeper/zk"
)

// Put appends an item to the queue in dir. When it fails for a lost connection the item may be there or not: an item
// that must not come twice needs a name of its own in its data.
func Put(conn *zk.Conn, dir string, item []byte) error {
	_, err := conn.Create(dir+"/item-", item, zk.FlagSequence, openACL)
	return err
}

// Take removes the first item and returns it; it waits while there is none. Of several takers the one whose delete
// succeeds has the item, so it is taken by one at most. A taker that dies after that takes it along: who must not lose
// items moves them to a place of its own in one multi, and deletes them when they are done.
func Take(ctx context.Context, conn *zk.Conn, dir string) ([]byte, error) {
	for {
		names, _, change, err := conn.ChildrenW(dir)
		if err != nil {
			return nil, err
		}
		inOrder(names)
		for _, name := range names {
			item, stat, err := conn.Get(dir + "/" + name)
			if err == nil {
				err = conn.Delete(dir+"/"+name, stat.Version)
			}
			if err == nil {
				return item, nil
			}
			if !errors.Is(err, zk.ErrNoNode) {
				return nil, err
			}
			// Another taker was faster; the next one may be free.
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
