package conf

import (
	"math"
	"slices"
)

// ensembleKeys: members, quorum, leadership.
var ensembleKeys = slices.Concat(
	[]Key{
		{
			Name: "server.*", Prop: own, Type: anyText, Stance: Honoured,
			Doc: "server.N=host:port:port[:role][;[host:]clientPort[;[host:]secureClientPort]]",
		},
		{
			Name: "group*", Prop: own, Type: anyText, Stance: HonouredChanged,
			Reason: "raft counts plain majorities, so only one group of equals is accepted",
			Doc:    "hierarchical quorum: group.G=1:2:3",
		},
		{
			Name: "weight*", Prop: own, Type: anyText, Stance: HonouredChanged,
			Reason: "raft counts plain majorities, so weights must be equal, or zkd.ignoreWeights=true",
			Doc:    "hierarchical quorum: weight.N=w",
		},
		{
			Name: "initLimit", Prop: own, Type: count, Default: "0", Stance: HonouredChanged,
			Reason: "bounds joining and the first catch-up",
			Doc:    "ticks a server may take to join; needed with more than one server",
			bind:   func(c *Config, v value) { c.InitLimit = int(v.n) },
		},
		{
			Name: "syncLimit", Prop: own, Type: count, Default: "0", Stance: HonouredChanged,
			Reason: "says when a server stops answering; raft elections have their own timeouts",
			Doc:    "ticks a server may be without leader; needed with more than one server",
			bind:   func(c *Config, v value) { c.SyncLimit = int(v.n) },
		},
		{
			Name: "standaloneEnabled", Prop: own, Type: boolean, Default: "true", Stance: Honoured,
			Doc:  "a single server needs no ensemble keys",
			bind: func(c *Config, v value) { c.StandaloneEnabled = v.yes },
		},
		{
			Name: "reconfigEnabled", Prop: own, Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "allow the reconfig operation",
			bind: func(c *Config, v value) { c.ReconfigEnabled = v.yes },
		},
		{
			Name: "dynamicConfigFile", Prop: own, Type: nonEmpty, Stance: Honoured,
			Doc:  "file with the server lines",
			bind: func(c *Config, v value) { c.DynamicConfigFile = v.text },
		},
		{
			Name: "electionAlg", Prop: own, Type: anyInt, Default: "3", Stance: Honoured,
			Doc: "only 3 exists",
			refuse: func(_ *Config, text string) string {
				if n, _ := parseWhole(text, true); n != 3 {
					return "Invalid electionAlg value. Only 3 is supported."
				}
				return ""
			},
		},
		{
			Name: "leaderServes", Type: yesNo(true), Default: "yes", Stance: Honoured,
			Doc:    "the leader takes client connections",
			bind:   func(c *Config, v value) { c.LeaderServes = v.yes },
			adjust: neither,
		},
		{
			Name: "peerType", Prop: own, Type: Type{"participant or observer", checkRole}, Default: "participant", Stance: Honoured,
			Doc: "role of this server; the server line wins",
		},
		{
			Name: "quorumListenOnAllIPs", Prop: own, Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "bind the peer ports on all addresses",
			bind: func(c *Config, v value) { c.QuorumListenOnAll = v.yes },
		},
		{
			Name: "cnxTimeout", Type: millis(1), Default: "5000", Stance: Honoured,
			Doc:  "time allowed to connect to another server",
			bind: func(c *Config, v value) { c.PeerDialTimeout = v.d },
		},
		{
			Name: "electionPortBindRetry", Type: anyInt, Default: "3", Stance: Honoured,
			Doc:  "attempts to bind the peer ports; 0: without end",
			bind: func(c *Config, v value) { c.PeerBindRetries = int(v.n) },
			adjust: func(v *value) string {
				if v.n >= 0 {
					return ""
				}
				v.n = 3
				return "is negative, taken as 3"
			},
		},
		{
			Name: "multiAddress.enabled", Prop: own, Type: boolean, Default: "false", Stance: HonouredChanged,
			Reason: "several addresses on a server line work without it",
			Doc:    "allow several addresses per server",
		},
		{
			Name: "oraclePath", Prop: own, Type: anyText, Stance: Refused,
			Reason: "letting one of two servers decide alone breaks raft's promises",
			Doc:    "file that lets one of two servers act alone",
			refuse: func(*Config, string) string {
				return "letting one of two servers decide alone breaks raft's promises"
			},
		},
	},
	ignore("all members keep their log on disk",
		Key{Name: "syncEnabled", Prop: own, Type: boolean, Default: "true", Doc: "observers write to disk"},
		Key{Name: "observer.syncEnabled", Type: boolean, Doc: "overrides syncEnabled"},
	),
	ignore("addresses of a server are dialled in order",
		Key{Name: "multiAddress.reachabilityCheckEnabled", Prop: own, Type: boolean, Default: "true", Doc: "probe addresses"},
		Key{Name: "multiAddress.reachabilityCheckTimeoutMs", Prop: own, Type: anyInt, Default: "1000", Doc: "time for a probe"},
	),
	ignore(nodelayPart,
		Key{Name: "leader.nodelay", Prop: "leader.nodelay", Type: boolean, Default: "true", Doc: "TCP_NODELAY"},
		Key{Name: "follower.nodelay", Prop: "follower.nodelay", Type: boolean, Default: "true", Doc: "TCP_NODELAY"},
	),
	ignore(zabPart,
		Key{Name: "connectToLearnerMasterLimit", Prop: own, Type: count, Default: "0", Doc: "ticks to connect to the leader"},
		Key{Name: "quorumCnxnTimeoutMs", Type: anyInt, Default: "-1", Doc: "read timeout of election links"},
		Key{Name: "fastleader.minNotificationInterval", Type: anyInt, Default: "200", Doc: "election backoff"},
		Key{Name: "fastleader.maxNotificationInterval", Type: anyInt, Default: "60000", Doc: "election backoff"},
		Key{Name: "quorum.cnxn.threads.size", Prop: own, Type: anyInt, Default: "20", Doc: "election threads"},
		Key{Name: "leader.maxConcurrentSnapSyncs", Type: anyInt, Default: "10", Doc: "snapshots sent at once"},
		Key{Name: "leader.maxConcurrentDiffSyncs", Type: anyInt, Default: "100", Doc: "log parts sent at once"},
		Key{Name: "leader.maxTimeToWaitForEpoch", Type: anyInt, Default: "-1", Doc: "wait for an epoch"},
		Key{Name: "leader.ackLoggingFrequency", Type: anyInt, Doc: "log every n-th ack"},
		Key{Name: "leader.closeSocketAsync", Prop: "leader.closeSocketAsync", Type: boolean, Doc: "close in the background"},
		Key{Name: "learner.closeSocketAsync", Prop: "learner.closeSocketAsync", Type: boolean, Doc: "close in the background"},
		Key{Name: "learner.asyncSending", Prop: "learner.asyncSending", Type: boolean, Doc: "send in the background"},
		Key{Name: "leaderConnectDelayDuringRetryMs", Type: anyInt, Default: "100", Doc: "delay between attempts"},
		Key{Name: "observer.reconnectDelayMs", Type: anyInt, Default: "0", Doc: "delay before an observer reconnects"},
		Key{Name: "observer.election.DelayMs", Type: anyInt, Default: "200", Doc: "delay before an observer looks for a leader"},
		Key{Name: "observerMaster.sizeLimit", Type: anyInt, Doc: "bytes kept for observers"},
		Key{Name: "forward_learner_requests_to_commit_processor_disabled", Type: boolean, Doc: "pipeline order"},
		Key{Name: "follower.skipLearnerRequestToNextProcessor", Type: boolean, Doc: "pipeline order"},
		Key{Name: "commitProcessor.numWorkerThreads", Type: anyInt, Doc: "pipeline threads"},
		Key{Name: "commitProcessor.shutdownTimeout", Type: anyInt, Default: "5000", Doc: "pipeline shutdown"},
		Key{Name: "commitProcessor.maxReadBatchSize", Type: anyInt, Default: "-1", Doc: "pipeline batches"},
		Key{Name: "commitProcessor.maxCommitBatchSize", Type: anyInt, Default: "1", Doc: "pipeline batches"},
		Key{Name: "messageTracker.BufferSize", Type: anyInt, Default: "10", Doc: "last messages kept for debugging"},
		Key{Name: "messageTracker.Enabled", Type: boolean, Default: "false", Doc: "keep last messages"},
	),
)

// loadKeys: load protection.
var loadKeys = slices.Concat(
	[]Key{
		{
			Name: "globalOutstandingLimit", Type: whole(1, math.MaxInt32), Default: "1000", Stance: Honoured,
			Doc:  "requests in flight before sockets are no longer read",
			bind: func(c *Config, v value) { c.GlobalOutstandingLimit = int(v.n) },
		},
		{
			Name: "request_throttle_max_requests", Type: anyInt, Default: "0", Stance: Honoured,
			Doc:    "requests admitted at once; 0: no limit",
			bind:   func(c *Config, v value) { c.RequestThrottleMaxRequests = int(v.n) },
			adjust: negativeIsZero("no limit"),
		},
		{
			Name: "throttled_op_wait_time", Type: millis(0), Default: "0", Stance: Honoured,
			Doc:  "a longer wait in the throttle fails with ThrottledOp; 0: never",
			bind: func(c *Config, v value) { c.ThrottledOpWaitTime = v.d },
		},
		{
			Name: "largeRequestMaxBytes", Type: anyInt, Default: "104857600", Stance: Honoured,
			Doc:  "bytes of large requests in flight",
			bind: func(c *Config, v value) { c.LargeRequestMaxBytes = v.n },
			adjust: func(v *value) string {
				if v.n > 0 {
					return ""
				}
				v.n = 104857600
				return "is not positive, taken as 104857600"
			},
		},
		{
			Name: "largeRequestThreshold", Type: whole(-1, math.MaxInt32), Default: "-1", Stance: Honoured,
			Doc:  "size from which a request is large; -1: none is",
			bind: func(c *Config, v value) { c.LargeRequestThreshold = v.n },
		},
		{
			Name: "connection_throttle_tokens", Type: count, Default: "0", Stance: Honoured,
			Doc:  "new sessions admitted at once; 0: no limit",
			bind: func(c *Config, v value) { c.ConnectionThrottleTokens = int(v.n) },
		},
		{
			Name: "connection_throttle_fill_time", Type: whole(1, math.MaxInt32), Default: "1", Stance: Honoured,
			Doc:  "milliseconds until tokens return",
			bind: func(c *Config, v value) { c.ConnectionThrottleFillTime = int(v.n) },
		},
		{
			Name: "connection_throttle_fill_count", Type: whole(1, math.MaxInt32), Default: "1", Stance: Honoured,
			Doc:  "tokens that return each time",
			bind: func(c *Config, v value) { c.ConnectionThrottleFillCount = int(v.n) },
		},
		{
			Name: "netty.server.outstandingHandshake.limit", Type: whole(-1, math.MaxInt32), Default: "-1", Stance: Honoured,
			Doc:  "TLS handshakes at once; -1: no limit",
			bind: func(c *Config, v value) { c.OutstandingHandshakeLimit = int(v.n) },
		},
	},
	ignore(stalePart,
		Key{Name: "request_throttle_drop_stale", Type: boolean, Default: "true", Doc: "drop requests that became stale while they waited"},
		Key{Name: "request_stale_connection_check", Type: boolean, Default: "true", Doc: "a request of a closed connection is stale"},
		Key{Name: "request_stale_latency_check", Type: boolean, Default: "false", Doc: "a request older than its session timeout is stale"},
	),
	ignore(throttlePart,
		Key{Name: "connection_throttle_freeze_time", Type: anyInt, Default: "-1", Doc: "period of adaptation"},
		Key{Name: "connection_throttle_drop_increase", Type: decimal, Default: "0.02", Doc: "step up"},
		Key{Name: "connection_throttle_drop_decrease", Type: decimal, Default: "0.002", Doc: "step down"},
		Key{Name: "connection_throttle_decrease_ratio", Type: decimal, Default: "0", Doc: "share of steps down"},
		Key{Name: "connection_throttle_weight_enabled", Type: boolean, Default: "false", Doc: "weigh session kinds"},
		Key{Name: "connection_throttle_global_session_weight", Type: anyInt, Default: "3", Doc: "weight"},
		Key{Name: "connection_throttle_local_session_weight", Type: anyInt, Default: "1", Doc: "weight"},
		Key{Name: "connection_throttle_renew_session_weight", Type: anyInt, Default: "2", Doc: "weight"},
	),
	ignore(javaPart,
		Key{Name: "request_throttle_stall_time", Type: anyInt, Default: "100", Doc: "wait step of a full throttle"},
		Key{Name: "request_throttler.shutdownTimeout", Type: anyInt, Default: "10000", Doc: "wait at shutdown"},
		Key{Name: "netty.server.earlyDropSecureConnectionHandshakes", Type: boolean, Default: "false", Doc: "drop early"},
		Key{Name: "netty.advancedFlowControl.enabled", Type: boolean, Default: "false", Doc: "flow control"},
		Key{Name: "jvm.pause.monitor", Prop: own, Type: boolean, Default: "false", Doc: "watch for pauses"},
		Key{Name: "jvm.pause.sleep.time.ms", Type: anyLong, Default: "500", Doc: "period"},
		Key{Name: "jvm.pause.warn-threshold.ms", Type: anyLong, Default: "10000", Doc: "pause worth a warning"},
		Key{Name: "jvm.pause.info-threshold.ms", Type: anyLong, Default: "1000", Doc: "pause worth a line"},
	),
)
