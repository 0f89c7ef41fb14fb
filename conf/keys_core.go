package conf

import (
	"fmt"
	"math"
	"slices"
)

// coreKeys: core, directories, ports.
var coreKeys = slices.Concat(
	[]Key{
		{
			Name: "tickTime", Prop: own, Type: millis(1), Default: "3000", Stance: Honoured,
			Doc:  "unit of initLimit, syncLimit and the session bounds",
			bind: func(c *Config, v value) { c.TickTime = v.d },
		},
		{
			Name: "dataDir", Prop: own, Type: nonEmpty, Stance: Honoured,
			Doc:  "directory of snapshots and myid",
			bind: func(c *Config, v value) { c.DataDir = v.text },
		},
		{
			Name: "dataLogDir", Prop: own, Type: nonEmpty, Stance: Honoured,
			Doc:  "directory of the raft log; dataDir when absent",
			bind: func(c *Config, v value) { c.DataLogDir = v.text },
		},
		{
			Name: "datadir.autocreate", Type: boolean, Default: "true", Stance: Honoured,
			Doc:  "create data directories that are missing",
			bind: func(c *Config, v value) { c.AutoCreate = v.yes },
		},
		{
			Name: "clientPort", Prop: own, Type: port, Stance: Honoured,
			Doc: "port for plain client connections; absent or 0: none",
		},
		{
			Name: "clientPortAddress", Prop: own, Type: Type{"a host name or address", checkHost}, Stance: Honoured,
			Doc: "address to listen on for clients; all when absent",
		},
		{
			Name: "secureClientPort", Prop: own, Type: port, Stance: HonouredChanged,
			Reason: "works without a serverCnxnFactory",
			Doc:    "port for TLS client connections; absent or 0: none",
		},
		{
			Name: "secureClientPortAddress", Prop: own, Type: Type{"a host name or address", checkHost}, Stance: HonouredChanged,
			Reason: "works without a serverCnxnFactory",
			Doc:    "address to listen on for TLS clients; all when absent",
		},
		{
			Name: "clientPortListenBacklog", Prop: own, Type: whole(-1, math.MaxInt32), Default: "-1", Stance: Honoured,
			Doc:  "connections the system queues before accept; -1: its default",
			bind: func(c *Config, v value) { c.ClientPortListenBacklog = int(v.n) },
		},
		{
			Name: "maxClientCnxns", Prop: own, Type: anyInt, Default: "60", Stance: Honoured,
			Doc:    "connections per client address; 0: no limit",
			bind:   func(c *Config, v value) { c.MaxClientCnxns = int(v.n) },
			adjust: negativeIsZero("no limit"),
		},
		{
			Name: "maxCnxns", Type: anyInt, Default: "0", Stance: Honoured,
			Doc:    "client connections in all; 0: no limit",
			bind:   func(c *Config, v value) { c.MaxCnxns = int(v.n) },
			adjust: negativeIsZero("no limit"),
		},
		{
			Name: "clientTcpKeepAlive", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "SO_KEEPALIVE on client connections",
			bind: func(c *Config, v value) { c.ClientTCPKeepAlive = v.yes },
		},
		{
			Name: "tcpKeepAlive", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "SO_KEEPALIVE on connections between servers",
			bind: func(c *Config, v value) { c.TCPKeepAlive = v.yes },
		},
		{
			Name: "nio.sessionlessCnxnTimeout", Type: millis(1), Default: "10000", Stance: Honoured,
			Doc:  "how long a connection may stay without a session",
			bind: func(c *Config, v value) { c.SessionlessCnxnTimeout = v.d },
		},
	},
	ignore("raft's own state tells whether a server is new",
		Key{Name: "db.autocreate", Type: boolean, Default: "true", Doc: "start an empty server as a voter"},
	),
	ignore("the raft leader feeds observers itself",
		Key{Name: "observerMasterPort", Prop: own, Type: port, Default: "0", Doc: "port where followers serve observers"},
	),
	ignore("zkd has one network stack",
		Key{Name: "serverCnxnFactory", Type: anyText, Default: "org.apache.zookeeper.server.NIOServerCnxnFactory", Doc: "network stack"},
	),
	ignore(javaPart,
		Key{Name: "nio.numSelectorThreads", Type: anyInt, Doc: "selector threads"},
		Key{Name: "nio.numWorkerThreads", Type: anyInt, Doc: "worker threads"},
		Key{Name: "nio.directBufferBytes", Type: anyInt, Default: "65536", Doc: "reply buffer outside the heap"},
		Key{Name: "nio.shutdownTimeout", Type: anyInt, Default: "5000", Doc: "wait for workers at shutdown"},
		Key{Name: "intBufferStartingSizeBytes", Type: anyInt, Default: "1024", Doc: "first size of a reply buffer"},
	),
	ignore("zkd batches writes by itself",
		Key{Name: "flushDelay", Type: anyLong, Default: "0", Doc: "wait for more writes before a flush"},
		Key{Name: "maxWriteQueuePollTime", Type: anyLong, Doc: "wait for the next write"},
		Key{Name: "maxBatchSize", Type: anyInt, Default: "1000", Doc: "writes per flush"},
	),
)

// sessionKeys: sessions.
var sessionKeys = slices.Concat(
	[]Key{
		{
			Name: "minSessionTimeout", Prop: own, Type: millis(-1), Default: "-1", Stance: Honoured,
			Doc:  "shortest session timeout; -1: 2 ticks",
			bind: func(c *Config, v value) { c.MinSessionTimeout = v.d },
		},
		{
			Name: "maxSessionTimeout", Prop: own, Type: millis(-1), Default: "-1", Stance: Honoured,
			Doc:  "longest session timeout; -1: 20 ticks",
			bind: func(c *Config, v value) { c.MaxSessionTimeout = v.d },
		},
		{
			Name: "readonlymode.enabled", Prop: "readonlymode.enabled", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "serve read-only clients while there is no quorum",
			bind: func(c *Config, v value) { c.ReadOnlyMode = v.yes },
		},
		{
			Name: "localSessionsEnabled", Prop: own, Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "sessions of an ensemble's clients are known to one server only",
			bind: func(c *Config, v value) { c.LocalSessions = v.yes },
		},
		{
			Name: "localSessionsUpgradingEnabled", Prop: own, Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "a local session is made known to all at its first ephemeral",
			bind: func(c *Config, v value) { c.LocalSessionsUpgrading = v.yes },
		},
	},
	ignore("the entry that closes a session needs no paths",
		Key{Name: "closeSessionTxn.enabled", Type: boolean, Default: "true", Doc: "list paths when a session closes"},
	),
)

// negativeIsZero corrects a negative number to 0, which means what text says.
func negativeIsZero(text string) func(*value) string {
	return func(v *value) string {
		if v.n >= 0 {
			return ""
		}
		v.n = 0
		return "is negative, taken as 0: " + text
	}
}

// atLeast corrects a number below lo.
func atLeast(lo int64) func(*value) string {
	return func(v *value) string {
		if v.n >= lo {
			return ""
		}
		v.n = lo
		return fmt.Sprintf("is below the minimum, taken as %d", lo)
	}
}
