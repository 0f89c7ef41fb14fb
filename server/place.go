package server

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/peer"
	"zkd/internal/mutant"
	"zkd/server/member"
)

// firstList is the list of zoo.cfg as all servers can use it: in the place of a
// wildcard in this server's own line it has what the others' files say.
func (s *Server) firstList() (member.List, error) {
	list := member.List(s.cfg.Servers)
	self := list.Find(s.cfg.ServerID)
	if self == nil || mutant.Is(mutant.OwnLine) {
		return list, nil
	}
	own := *self
	own.Addrs = own.Places()
	if s.cfg.Unplaced != "" {
		place, agreed, err := s.node.Place()
		if err == nil {
			own.Addrs, err = addrsOf(place)
		}
		if err != nil {
			return nil, err
		}
		if !agreed {
			s.log.Warn("the other servers' files have different addresses of this one; the ensemble takes one of them", "address", place.Raft)
		}
		s.log.Info("the address of this server is that in the other servers' files", "address", place.Raft)
	}
	return list.With(own), nil
}

// addrsOf reverses peers.
func addrsOf(m peer.Member) (addrs []conf.PeerAddr, err error) {
	for i := range min(len(m.Raft), len(m.Link)) {
		host, first, errFirst := net.SplitHostPort(m.Raft[i])
		_, second, errSecond := net.SplitHostPort(m.Link[i])
		a := conf.PeerAddr{Host: host}
		var errA, errB error
		a.QuorumPort, errA = strconv.Atoi(first)
		a.ElectionPort, errB = strconv.Atoi(second)
		if err := errors.Join(errFirst, errSecond, errA, errB); err != nil {
			return nil, fmt.Errorf("server: address of this server in another's file: %w", err)
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}

// unplaced ends this server if nobody can tell where it is, and says now and
// then what it waits for otherwise.
func (s *Server) unplaced(err error) {
	var nowhere *consensus.NoPlaceError
	if errors.As(err, &nowhere) {
		line := s.cfg.Self()
		s.failed(&conf.Error{File: s.cfg.File, Problems: []conf.Finding{{Level: conf.Failure, Where: s.cfg.Unplaced, Text: fmt.Sprintf(
			"server.%d=%s says where to listen, and %v: write the name or the address of this server's machine here, or into their files",
			line.ID, line, err)}}})
		return
	}
	if now := time.Now(); now.Sub(s.toldPlace) > placeEvery {
		s.toldPlace = now
		s.log.Warn("no clients are served before it is known where this server is, which its own line in zoo.cfg does not say", "line", s.cfg.Unplaced, "err", err)
	}
}

// placeEvery is how often a server that does not know its place says so.
const placeEvery = 10 * time.Second
