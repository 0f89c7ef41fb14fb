package recipes

import (
	"context"

	"github.com/go-zookeeper/zk"
)

// Follow calls changed with a znode's data now and after every change. The watch is set by the read itself, so no
// change falls between them; of several quick changes it sees the last. Versions never go back.
func Follow(ctx context.Context, conn *zk.Conn, path string, changed func(data []byte, version int32)) error {
	last := int32(-1)
	for {
		data, stat, change, err := conn.GetW(path)
		if transient(err) {
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if stat.Version != last { // a lost connection wakes without a change
			last = stat.Version
			changed(data, last)
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Publish sets the data if nobody else has since the version was read; zk.ErrBadVersion says that somebody did.
func Publish(conn *zk.Conn, path string, data []byte, version int32) (int32, error) {
	stat, err := conn.Set(path, data, version)
	if err != nil {
		return 0, err
	}
	return stat.Version, nil
}
