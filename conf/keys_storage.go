package conf

import (
	"math"
	"slices"
	"time"
)

// maxRequest is the longest request that fits into an entry of the log.
const maxRequest = 63 << 20

// storageKeys: logs, snapshots, limits on records.
var storageKeys = slices.Concat(
	[]Key{
		{
			Name: "snapCount", Type: whole(math.MinInt32, math.MaxInt32), Default: "100000", Stance: Honoured,
			Doc:    "writes between snapshots",
			bind:   func(c *Config, v value) { c.SnapCount = int(v.n) },
			adjust: atLeast(2),
		},
		{
			Name: "snapSizeLimitInKb", Type: whole(math.MinInt32, math.MaxInt64/1024), Default: "4194304", Stance: Honoured,
			Doc:  "log growth between snapshots; 0 or less: no such limit",
			bind: func(c *Config, v value) { c.SnapSizeLimit = v.n * 1024 },
		},
		{
			Name: "forceSync", Type: yesNo(true), Default: "yes", Stance: HonouredChanged,
			Reason: "no takes zkd.unsafeNoSync=true beside it",
			Doc:    "write to disk before acknowledging",
			adjust: neither,
		},
		{
			Name: "fsync.warningthresholdms", Type: millis(0), Default: "1000", Stance: Honoured,
			Doc:  "a slower fsync is logged and counted",
			bind: func(c *Config, v value) { c.FsyncWarningThreshold = v.d },
		},
		{
			Name: "autopurge.snapRetainCount", Prop: own, Type: anyInt, Default: "3", Stance: Honoured,
			Doc:    "snapshots to keep",
			bind:   func(c *Config, v value) { c.SnapRetainCount = int(v.n) },
			adjust: atLeast(3),
		},
		{
			Name: "autopurge.purgeInterval", Prop: own, Type: interval, Default: "0", Stance: HonouredChanged,
			Reason: "raft drops old logs by itself; this purges exported snapshots and old dynamic files",
			Doc:    "hours between purges, or a number with ms, s, m, h or d; 0: never",
			bind:   func(c *Config, v value) { c.PurgeInterval = v.d },
		},
		{
			Name: "snapshot.compression.method", Type: Type{"gz, snappy or empty", checkCompression}, Stance: Honoured,
			Doc:  "compression of exported snapshots",
			bind: func(c *Config, v value) { c.Snapshots.Compression = v.text },
		},
		{
			Name: "snapshot.trust.empty", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "import logs without any snapshot",
			bind: func(c *Config, v value) { c.Snapshots.TrustEmpty = v.yes },
		},
		{
			Name: "serializeLastProcessedZxid.enabled", Type: boolean, Default: "true", Stance: Honoured,
			Doc:  "exported snapshots carry the last zxid",
			bind: func(c *Config, v value) { c.Snapshots.LastProcessedZxid = v.yes },
		},
		{
			Name: "digest.enabled", Type: boolean, Default: "true", Stance: HonouredChanged,
			Reason: "zkd always keeps its digest; false only hides it and leaves it out of exports",
			Doc:    "tree digest in snapshots and in the word hash",
			bind:   func(c *Config, v value) { c.Snapshots.Digest = v.yes },
		},
		{
			Name: "jute.maxbuffer", Prop: "jute.maxbuffer", Type: whole(1, math.MaxInt32), Default: "1048575", Stance: HonouredChanged,
			Reason: "63 MiB at most: a request has to fit into an entry of the log",
			Doc:    "largest request in bytes",
			bind:   func(c *Config, v value) { c.JuteMaxBuffer = int(v.n) },
			adjust: func(v *value) string {
				if v.n <= maxRequest {
					return ""
				}
				v.n = maxRequest
				return "is more than an entry of the log takes, lowered to 66060288"
			},
		},
		{
			Name: "jute.maxbuffer.extrasize", Type: whole(0, math.MaxInt32), Stance: Honoured,
			Doc:    "slack for stored records on import; jute.maxbuffer when absent",
			bind:   func(c *Config, v value) { c.JuteMaxBufferExtraSize = int(v.n) },
			adjust: atLeast(1024),
		},
	},
	ignore(storesItself,
		Key{Name: "txnLogSizeLimitInKb", Type: anyLong, Default: "-1", Doc: "size of one log file"},
		Key{Name: "preAllocSize", Type: anyLong, Default: "65536", Doc: "step in which a log file grows, in KB"},
		Key{Name: "commitLogCount", Type: anyInt, Default: "500", Doc: "writes kept in memory for followers"},
		Key{Name: "snapshotSizeFactor", Type: decimal, Default: "0.33", Doc: "log share sent instead of a snapshot"},
		Key{Name: "forceSnapshotSync", Type: boolean, Default: "false", Doc: "always send new followers a snapshot"},
	),
	ignore("zkd serializes replies without a cache",
		Key{Name: "maxResponseCacheSize", Type: anyInt, Default: "400", Doc: "cached getData replies"},
		Key{Name: "maxGetChildrenResponseCacheSize", Type: anyInt, Default: "400", Doc: "cached getChildren replies"},
	),
)

func checkCompression(text string, _ bool) (value, error) {
	if text == "" {
		return value{}, nil
	}
	return oneOf("gz", "snappy").check(text, true)
}

// treeKeys: features of the tree.
var treeKeys = slices.Concat(
	[]Key{
		{
			Name: "extendedTypesEnabled", Type: boolean, Default: "true", Stance: HonouredChanged,
			Reason: "the default is true; an export then needs the flag on the ZooKeeper side",
			Doc:    "TTL nodes",
			bind:   func(c *Config, v value) { c.ExtendedTypesEnabled = v.yes },
		},
		{
			Name: "emulate353TTLNodes", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "read TTL nodes as 3.5.3 stored them, on import",
			bind: func(c *Config, v value) { c.Snapshots.Emulate353TTL = v.yes },
		},
		{
			Name: "znode.container.checkIntervalMs", Prop: "znode.container.checkIntervalMs", Type: millis(1), Default: "60000", Stance: Honoured,
			Doc:  "period of the search for empty containers",
			bind: func(c *Config, v value) { c.ContainerCheckInterval = v.d },
		},
		{
			Name: "znode.container.maxPerMinute", Prop: "znode.container.maxPerMinute", Type: whole(1, math.MaxInt32), Default: "10000", Stance: Honoured,
			Doc:  "containers removed per minute at most",
			bind: func(c *Config, v value) { c.ContainerMaxPerMinute = int(v.n) },
		},
		{
			Name: "znode.container.maxNeverUsedIntervalMs", Prop: "znode.container.maxNeverUsedIntervalMs",
			Type: whole(0, math.MaxInt64/int64(time.Millisecond)).in(time.Millisecond), Default: "0", Stance: Honoured,
			Doc:  "remove containers that had no child for so long; 0: never",
			bind: func(c *Config, v value) { c.ContainerMaxNeverUsed = v.d },
		},
		{
			Name: "enforceQuota", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "writes above a hard quota fail",
			bind: func(c *Config, v value) { c.EnforceQuota = v.yes },
		},
		{
			Name: "skipACL", Type: yesNo(false), Default: "no", Stance: Honoured,
			Doc:  "no permission checks",
			bind: func(c *Config, v value) { c.SkipACL = v.yes },
			adjust: func(v *value) string {
				if v.yes {
					return "turns off every permission check: any client may read, change and delete everything"
				}
				if neither(v) != "" {
					return "is not yes: permission checks stay on, as in ZooKeeper"
				}
				return ""
			},
		},
	},
	ignore(watchPart,
		Key{Name: "watchManagerName", Type: anyText, Doc: "class of the watch table"},
		Key{Name: "watcherCleanThreshold", Type: anyInt, Default: "1000", Doc: "dead watchers before a clean-up"},
		Key{Name: "watcherCleanIntervalInSeconds", Type: anyInt, Default: "600", Doc: "period of the clean-up"},
		Key{Name: "watcherCleanThreadsNum", Type: anyInt, Default: "2", Doc: "clean-up threads"},
		Key{Name: "maxInProcessingDeadWatchers", Type: anyInt, Default: "-1", Doc: "dead watchers before adding waits"},
		Key{Name: "bitHashCacheSize", Type: anyInt, Default: "10", Doc: "size of the watcher cache"},
	),
	ignore("permissions are checked when a write is applied; the result is the same",
		Key{Name: "enableEagerACLCheck", Type: boolean, Default: "false", Doc: "check on the learner as well"},
	),
	ignore("zkd has no hot-path log",
		Key{Name: "pathStats.enabled", Type: boolean, Default: "false", Doc: "log hot paths"},
		Key{Name: "pathStats.slotCapacity", Type: anyInt, Default: "60", Doc: "slots"},
		Key{Name: "pathStats.slotDuration", Type: anyInt, Default: "15", Doc: "seconds per slot"},
		Key{Name: "pathStats.maxDepth", Type: anyInt, Default: "6", Doc: "path depth"},
		Key{Name: "pathStats.sampleRate", Type: decimal, Default: "0.1", Doc: "share of requests looked at"},
		Key{Name: "pathStats.initialDelay", Type: anyInt, Default: "5", Doc: "minutes before the first log"},
		Key{Name: "pathStats.delay", Type: anyInt, Default: "5", Doc: "minutes between logs"},
		Key{Name: "pathStats.topPathMax", Type: anyInt, Default: "20", Doc: "paths per log"},
	),
)

// setSync decides about fsync. Two keys are needed to turn it off: forceSync=no
// is found in copied examples, zkd.unsafeNoSync is not. Alone it changes nothing.
func (l *loader) setSync() {
	force, unsafe := l.get("forceSync"), l.get("zkd.unsafeNoSync")
	off := force != nil && !force.v.yes
	allowed := unsafe != nil && unsafe.v.yes
	switch {
	case off && allowed:
		l.cfg.UnsafeNoSync = true
		l.warn(force.at, "forceSync=no: acknowledged writes are lost when power fails")
	case off:
		l.warn(force.at, "forceSync=no has no effect: zkd syncs all the same, since acknowledged writes would be lost when power fails; "+
			"zkd.unsafeNoSync=true beside it turns syncing off")
	case allowed:
		l.note(unsafe.at, "zkd.unsafeNoSync has no effect without forceSync=no")
	}
}
