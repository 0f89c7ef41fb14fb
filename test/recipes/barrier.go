package recipes

import (
	"context"
	"errors"
	"slices"

	"github.com/go-zookeeper/zk"
)

// Pass waits until the barrier, a znode that somebody created and will delete, is gone.
func Pass(ctx context.Context, conn *zk.Conn, barrier string) error {
	for {
		there, _, change, err := conn.ExistsW(barrier)
		if err != nil {
			return err
		}
		if !there {
			return nil
		}
		select {
		case <-change: // of its data, perhaps
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Double is a barrier of n clients: they begin together and end together.
type Double struct {
	conn *zk.Conn
	dir  string
	name string
	n    int
}

// ready is the child that says that all have come. Only it is watched by those who wait, so each of them is woken
// once, not once for each who comes.
const ready = "ready"

// Enter waits until n clients have entered. A client that dies before that must come again under its name.
func Enter(ctx context.Context, conn *zk.Conn, dir, name string, n int) (*Double, error) {
	d := &Double{conn, dir, name, n}
	// A lost connection may hide that it has come already.
	if err := Join(ctx, conn, dir, name, nil); err != nil {
		return nil, err
	}
	for {
		there, _, change, err := conn.ExistsW(dir + "/" + ready) // first, lest it comes between count and watch
		if err == nil && there {
			return d, nil
		}
		var names []string
		if err == nil {
			names, _, err = conn.Children(dir)
		}
		if err == nil && len(names) >= n {
			_, err = conn.Create(dir+"/"+ready, nil, 0, openACL)
			if err == nil || errors.Is(err, zk.ErrNodeExists) {
				return d, nil
			}
		}
		switch {
		case transient(err):
			if err := pause(ctx); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Leave waits until all have left or died. Each waits for one other only: the first by name for the last, all others
// for the first, so nobody is woken by everybody.
func (d *Double) Leave(ctx context.Context) error {
	for {
		over, change, err := d.step()
		switch {
		case transient(err):
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		case err != nil || over:
			return err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// step leaves if it is time to, and returns what to wait for.
func (d *Double) step() (over bool, change <-chan zk.Event, err error) {
	names, _, err := d.conn.Children(d.dir)
	if err != nil {
		return false, nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == ready })
	slices.Sort(names)
	if len(names) == 0 {
		return true, nil, nil
	}
	waitFor := names[0]
	if d.name == names[0] {
		if len(names) == 1 {
			return true, nil, d.gone()
		}
		waitFor = names[len(names)-1]
	} else if slices.Contains(names, d.name) {
		if err := d.gone(); err != nil {
			return false, nil, err
		}
	}
	_, _, change, err = d.conn.GetW(d.dir + "/" + waitFor)
	if errors.Is(err, zk.ErrNoNode) {
		now := make(chan zk.Event)
		close(now)
		return false, now, nil
	}
	return false, change, err
}

// gone takes the client's znode away. One that is gone was deleted by a try whose answer was lost.
func (d *Double) gone() error {
	err := d.conn.Delete(d.dir+"/"+d.name, -1)
	if errors.Is(err, zk.ErrNoNode) {
		return nil
	}
	return err
}
