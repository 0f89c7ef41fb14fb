package suite

import (
	"context"

	"zkd/test/realzk"
)

// zookeeper is a real ZooKeeper in the place of zkd.
type zookeeper struct{ *realzk.Server }

func startZooKeeper(ctx context.Context, minor string, lines []string) (Server, error) {
	dist, err := realzk.FindVersion(minor)
	if err != nil {
		return nil, err
	}
	s, err := realzk.Start(ctx, dist, realzk.Options{Config: lines, Props: props})
	if err != nil {
		return nil, err
	}
	return zookeeper{s}, nil
}

func (z zookeeper) Log() string { return tail(z.LogFile()) }
