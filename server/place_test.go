package server

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/peer"
)

// What leads nowhere is not in the first list, and a place that others know takes its place.
func TestFirstListNamesThisServer(t *testing.T) {
	cfg := conf.Default()
	cfg.Servers = []conf.Server{
		{ID: 1, Addrs: []conf.PeerAddr{{Host: "0.0.0.0", QuorumPort: 2888, ElectionPort: 3888}, {Host: "zk1", QuorumPort: 2888, ElectionPort: 3888}}},
		{ID: 2, Addrs: []conf.PeerAddr{{Host: "zk2", QuorumPort: 2888, ElectionPort: 3888}}},
	}
	s := newServer(cfg, slog.New(slog.DiscardHandler), World{})
	list, err := s.firstList()
	if want := "server.1=zk1:2888:3888:participant\nserver.2=zk2:2888:3888:participant"; err != nil || list.String() != want {
		t.Errorf("%s, %v", list, err)
	}
	addrs, err := addrsOf(peer.Member{Raft: []string{"[::1]:1", "b:3"}, Link: []string{"[::1]:2", "b:4"}})
	if err != nil || len(addrs) != 2 || addrs[0] != (conf.PeerAddr{Host: "::1", QuorumPort: 1, ElectionPort: 2}) {
		t.Errorf("%v, %v", addrs, err)
	}
	if _, err := addrsOf(peer.Member{Raft: []string{"b"}, Link: []string{"b:x"}}); err == nil {
		t.Error("no error")
	}
}

// A server whose place no file has ends with the exit code of a bad configuration, and says where to write it.
func TestNoPlace(t *testing.T) {
	cfg := conf.Default()
	cfg.Unplaced = "zoo.cfg:7"
	cfg.Servers = []conf.Server{{ID: 1, Addrs: []conf.PeerAddr{{Host: "0.0.0.0", QuorumPort: 2888, ElectionPort: 3888}}}}
	s := newServer(cfg, slog.New(slog.DiscardHandler), World{})
	s.quit = func(error) {}
	s.unplaced(errors.New("not yet"))
	select {
	case err := <-s.Failed():
		t.Fatal(err)
	default:
	}
	s.unplaced(&consensus.NoPlaceError{Servers: []uint64{2, 3}})
	err := <-s.Failed()
	var bad *conf.Error
	if !errors.As(err, &bad) || bad.ExitCode() != 2 || !strings.HasPrefix(err.Error(), "zoo.cfg:7: server.1=0.0.0.0:2888:3888:participant says where to listen") {
		t.Errorf("%v", err)
	}
}
