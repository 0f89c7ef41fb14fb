package recipes

import (
	"context"

	"github.com/go-zookeeper/zk"
)

// Lock is a fair lock: who asks first gets it first.
type Lock struct{ place *place }

// Acquire waits for the lock in dir, which must exist.
func Acquire(ctx context.Context, conn *zk.Conn, dir string) (*Lock, error) {
	return acquire(ctx, conn, dir, "lock", everybody)
}

// AcquireRead waits for a lock that readers share: only writers who came before block it.
func AcquireRead(ctx context.Context, conn *zk.Conn, dir string) (*Lock, error) {
	return acquire(ctx, conn, dir, "read", ofKind("write"))
}

// AcquireWrite waits for a lock that excludes readers and writers: all who came before block it. Readers who come
// after wait for it, so it is not starved by them.
func AcquireWrite(ctx context.Context, conn *zk.Conn, dir string) (*Lock, error) {
	return acquire(ctx, conn, dir, "write", everybody)
}

func acquire(ctx context.Context, conn *zk.Conn, dir, kind string, blocks func(string) bool) (*Lock, error) {
	p, err := enter(conn, dir, kind, nil)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, blocks); err != nil {
		p.leave() // a place that nobody waits at would block those behind it
		return nil, err
	}
	return &Lock{p}, nil
}

// Fence is a number that rises from holder to holder. A resource that refuses numbers below the highest it has seen
// is safe from a holder who does not know yet that its session is over.
func (l *Lock) Fence() int64 { return l.place.czxid }

// Guard is to be the first operation of a multi: the others happen only if the lock is still held. It fences what is
// kept in ZooKeeper itself.
func (l *Lock) Guard() *zk.CheckVersionRequest {
	return &zk.CheckVersionRequest{Path: l.place.path(), Version: 0}
}

// Release gives the lock up; ErrLost says that it was lost before.
func (l *Lock) Release() error { return l.place.leave() }
