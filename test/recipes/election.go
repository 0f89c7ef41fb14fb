package recipes

import (
	"context"
	"errors"

	"github.com/go-zookeeper/zk"
)

// Lead is what the winner of an election has.
type Lead struct{ place *place }

// Campaign waits until this client leads: it stands in line, and the first in line leads. The data tells others who
// it is.
func Campaign(ctx context.Context, conn *zk.Conn, dir string, data []byte) (*Lead, error) {
	p, err := enter(conn, dir, "candidate", data)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, everybody); err != nil {
		p.leave()
		return nil, err
	}
	return &Lead{p}, nil
}

// Epoch rises from leader to leader. Followers refuse orders of an epoch below the highest they know.
func (l *Lead) Epoch() int64 { return l.place.czxid }

// Resign makes room for the next in line.
func (l *Lead) Resign() error { return l.place.leave() }

// ErrNoLeader says that nobody stands for election.
var ErrNoLeader = errors.New("recipes: no leader")

// Leader is the data of who leads.
func Leader(conn *zk.Conn, dir string) ([]byte, error) {
	for {
		names, _, err := conn.Children(dir)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, ErrNoLeader
		}
		inOrder(names)
		data, _, err := conn.Get(dir + "/" + names[0])
		if !errors.Is(err, zk.ErrNoNode) { // else it left in between
			return data, err
		}
	}
}
