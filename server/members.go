package server

import (
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/peer"
	"zkd/server/member"
)

// members is the list of zoo.cfg as package consensus wants it.
func members(cfg *conf.Config) []peer.Member { return peers(cfg.Servers) }

// peers is what package consensus must know of servers.
func peers(servers []conf.Server) []peer.Member {
	list := make([]peer.Member, 0, len(servers))
	for _, s := range servers {
		m := peer.Member{ID: uint64(s.ID), Observer: s.Observer}
		for _, a := range s.Addrs {
			m.Raft = append(m.Raft, a.Quorum().String())
			m.Link = append(m.Link, a.Election().String())
		}
		list = append(list, m)
	}
	return list
}

// leastCatchUp is how long a new member may take to catch up whatever
// initLimit says: the limit of a test ensemble is shorter than a snapshot takes.
const leastCatchUp = 5 * time.Second

// decisiveFile are the server lines of zoo.cfg where these decide about the
// members, "" where they do not.
func decisiveFile(cfg *conf.Config) string {
	if !cfg.MembershipByFile {
		return ""
	}
	return member.List(cfg.Servers).String()
}

// ensemble is the part of the node's configuration that follows from zoo.cfg,
// nil for a server that is its whole cluster.
func (s *Server) ensemble() *consensus.Ensemble {
	cfg := s.cfg
	if !cfg.EnsembleMode() {
		return nil
	}
	return &consensus.Ensemble{
		Members:      members(cfg),
		ListenAll:    cfg.QuorumListenOnAll,
		Secret:       []byte(cfg.QuorumSecret.Reveal()),
		DialTimeout:  cfg.PeerDialTimeout,
		TCPKeepAlive: cfg.TCPKeepAlive,
		Listen:       s.world.Listen,
		Dial:         s.world.Dial,
		Report:       s.sessions.report,
		ReportEvery:  cfg.TickTime / 2,
		Reported:     s.sessions.reported,
		Reconfigured: s.reconfigured,
		Administer:   s.administer,
		File:         decisiveFile(cfg),
		Founded:      s.proposeMembers,
		Patience:     time.Duration(cfg.InitLimit) * cfg.TickTime,
		Silence:      time.Duration(cfg.SyncLimit) * cfg.TickTime,
		Describe:     s.describe,
		CatchUp:      max(leastCatchUp, time.Duration(cfg.InitLimit)*cfg.TickTime),
	}
}
