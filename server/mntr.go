package server

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"
)

// mntr writes the monitoring figures, a key and a value a line. Some tools
// read only the first 2 to 4 KB, so ZooKeeper's oldest keys come first, in
// their old order.
func (s *Server) mntr(b *strings.Builder) {
	put := func(key string, value any) { fmt.Fprintf(b, "zk_%s\t%v\n", key, value) }
	lo, avg, hi := s.stats.latency.figures()
	s.state.mu.RLock()
	tree, global := s.state.tree.Counts(), s.state.table.Len()
	s.state.mu.RUnlock()
	watches := s.state.watches.Counts()
	put("version", versionLine())
	put("avg_latency", decimal(avg))
	put("max_latency", hi)
	put("min_latency", lo)
	put("packets_received", s.stats.received.Load())
	put("packets_sent", s.stats.sent.Load())
	put("num_alive_connections", s.conns.len())
	put("outstanding_requests", s.outstanding.Load())
	mode := s.mode()
	put("server_state", mode)
	if mode != "standalone" {
		put("peer_state", peerStates[mode])
	}
	put("znode_count", tree.Znodes+1)
	put("watch_count", watches.Watches)
	put("ephemerals_count", tree.Ephemerals)
	put("approximate_data_size", tree.DataBytes)
	put("open_file_descriptor_count", openFiles())
	put("max_file_descriptor_count", maxFiles())
	if mode != "standalone" {
		s.mntrEnsemble(put, mode)
	}

	put("uptime", s.uptime().Milliseconds())
	put("global_sessions", global)
	put("local_sessions", s.locals.len())
	put("connection_drop_probability", "0.0")
	put("auth_failed_count", s.stats.authFailed.Load())
	put("connection_request_count", s.stats.connects.Load())
	put("connection_rejected", s.stats.rejected.Load())
	put("connection_drop_count", s.stats.dropped.Load())
	put("sessionless_connections_expired", s.stats.sessionless.Load())
	put("stale_sessions_expired", s.stats.expired.Load())
	put("throttled_ops", s.stats.throttled.Load())
	s.mntrStorage(put)
	put("zkd_goroutines", runtime.NumGoroutine())
	put("zkd_live_heap_bytes", liveHeap())
	put("zkd_slab_bytes", tree.SlabBytes)
	put("zkd_records", tree.Records)
}

// peerStates are ZooKeeper's names of what a server that serves does among its
// peers. One that is not caught up does not serve.
var peerStates = map[string]string{
	"leader": "leading - broadcast", "follower": "following - broadcast", "observer": "observing - broadcast",
}

// mntrEnsemble writes what is about the ensemble.
func (s *Server) mntrEnsemble(put func(string, any), mode string) {
	st := s.node.Status()
	if mode == "leader" {
		f := countFollowing(&st)
		put("followers", f.learners) // of 3.4, observers included
		put("synced_followers", f.voters)
		put("pending_syncs", f.lagging)
		last, least, most := s.leadership.sizes()
		put("last_proposal_size", last)
		put("max_proposal_size", most)
		put("min_proposal_size", least)
		put("learners", f.learners)
		put("synced_observers", f.observers)
		put("synced_non_voting_followers", 0)
		put("leader_uptime", s.leadership.uptime(s.now()).Milliseconds())
	}
	if mode == "observer" && st.LeaderID != "" {
		put("observer_master_id", st.Leader)
	}
	put("quorum_size", s.memberList().Voters())
}

// mntrStorage writes what is about the log and the snapshots. fsync and
// snapshot times are in ms.
func (s *Server) mntrStorage(put func(string, any)) {
	log, disk := s.node.Figures(), s.node.Storage()
	put("proposal_count", log.Entries)
	put("commit_count", log.Requests)
	summary := func(key string, count int64, sum, longest time.Duration) {
		avg := 0.0
		if count > 0 {
			avg = float64(sum.Milliseconds()) / float64(count)
		}
		put("avg_"+key, decimal(avg))
		put("min_"+key, 0)
		put("max_"+key, longest.Milliseconds())
		put("cnt_"+key, count)
		put("sum_"+key, sum.Milliseconds())
	}
	summary("fsynctime", int64(disk.Appends), disk.AppendTime, disk.AppendMax)
	summary("snapshottime", int64(disk.Snapshots), 0, 0)
	summary("election_time", 0, 0, 0)
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries) - 1 // less the directory itself
}

func maxFiles() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return uint64(l.Cur) // it is signed on FreeBSD
}

// liveHeap is what the last garbage collection found in use.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
