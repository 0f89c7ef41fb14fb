package conf

import (
	"fmt"
	"slices"
	"time"
)

// adminKeys: four-letter words and the admin HTTP server.
var adminKeys = slices.Concat(
	[]Key{
		{
			Name: "4lw.commands.whitelist", Type: list, Default: "srvr, ruok, isro, mntr, stat", Stance: HonouredChanged,
			Reason: "without the key, ZooKeeper answers srvr only",
			Doc:    "four-letter words to answer; * for all; srvr is always on",
		},
		{
			Name: "admin.enableServer", Type: boolean, Default: "true", Stance: Honoured,
			Doc:  "the admin HTTP server",
			bind: func(c *Config, v value) { c.Admin.Enabled = v.yes },
		},
		{
			Name: "admin.serverAddress", Type: Type{"a host name or address", checkHost}, Default: "0.0.0.0", Stance: Honoured,
			Doc: "address it listens on",
		},
		{
			Name: "admin.serverPort", Type: port, Default: "8080", Stance: Honoured,
			Doc: "port it listens on",
		},
		{
			Name: "admin.commandURL", Type: nonEmpty, Default: "/commands", Stance: Honoured,
			Doc:  "path of the commands",
			bind: func(c *Config, v value) { c.Admin.CommandURL = v.text },
		},
		{
			Name: "admin.idleTimeout", Type: millis(1), Default: "30000", Stance: Honoured,
			Doc:  "time until an idle connection is closed",
			bind: func(c *Config, v value) { c.Admin.IdleTimeout = v.d },
		},
		{
			Name: "admin.portUnification", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "HTTP and HTTPS on one port",
			bind: func(c *Config, v value) { c.Admin.PortUnification = v.yes },
		},
		{
			Name: "admin.forceHttps", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "HTTPS only",
			bind: func(c *Config, v value) { c.Admin.ForceHTTPS = v.yes },
		},
		{
			Name: "admin.needClientAuth", Type: boolean, Default: "false", Stance: Honoured,
			Doc:  "clients must show a certificate",
			bind: func(c *Config, v value) { c.Admin.NeedClientAuth = v.yes },
		},
		{
			Name: "admin.snapshot.enabled", Type: boolean, Default: "true", Stance: Honoured,
			Doc:  "the snapshot command",
			bind: func(c *Config, v value) { c.Admin.Snapshot = v.yes },
		},
		{
			Name: "admin.restore.enabled", Type: boolean, Default: "true", Stance: Honoured,
			Doc:  "the restore command",
			bind: func(c *Config, v value) { c.Admin.Restore = v.yes },
		},
		{
			Name: "admin.rateLimiterIntervalInMS", Type: millis(0), Default: "300000", Stance: Honoured,
			Doc:  "time between two snapshots or restores",
			bind: func(c *Config, v value) { c.Admin.RateLimiterInterval = v.d },
		},
	},
	ignore("Go's HTTP server picks the version",
		Key{Name: "admin.httpVersion", Type: anyInt, Default: "11", Doc: "HTTP version"},
	),
	ignore("there is no JMX in zkd",
		Key{Name: "jmx.log4j.disable", Type: boolean, Doc: "JMX of log4j"},
		Key{Name: "jmx.log4j.mbean", Type: anyText, Doc: "JMX of log4j"},
	),
)

// metricsPort allows -1 for off.
var metricsPort = whole(-1, 65535)

// metricsKeys: metrics providers.
var metricsKeys = slices.Concat(
	[]Key{
		{
			Name: "metricsProvider.className", Prop: own, Type: Type{"one of ZooKeeper's own metrics providers", checkMetrics},
			Default: "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider", Stance: HonouredChanged,
			Reason: "ZooKeeper's own providers only", Doc: "class of the metrics provider",
			bind: func(c *Config, v value) { c.Metrics.Provider = metricsProviders[v.text] },
		},
		{
			Name: "metricsProvider.httpHost", Prop: own, Type: Type{"a host name or address", checkHost}, Default: "0.0.0.0", Stance: Honoured,
			Doc:  "address of the Prometheus endpoint",
			bind: func(c *Config, v value) { c.Metrics.HTTPHost = v.text },
		},
		{
			Name: "metricsProvider.httpPort", Prop: own, Type: metricsPort, Default: "7000", Stance: Honoured,
			Doc:  "port of the Prometheus endpoint; -1: none",
			bind: func(c *Config, v value) { c.Metrics.HTTPPort = int(v.n) },
		},
		{
			Name: "metricsProvider.httpsPort", Prop: own, Type: metricsPort, Default: "-1", Stance: Honoured,
			Doc:  "HTTPS port of the Prometheus endpoint; -1: none",
			bind: func(c *Config, v value) { c.Metrics.HTTPSPort = int(v.n) },
		},
		{
			Name: "metricsProvider.exportJvmInfo", Prop: own, Type: boolean, Default: "true", Stance: HonouredChanged,
			Reason: "metrics of the Go process instead", Doc: "metrics of the process",
			bind: func(c *Config, v value) { c.Metrics.ExportProcess = v.yes },
		},
		{
			Name: "metricsProvider.prometheusMetricsSummaryRotateIntervalSeconds", Prop: own,
			Type: whole(1, 1<<31-1).in(time.Second), Default: "60", Stance: Honoured,
			Doc:  "window of the quantiles",
			bind: func(c *Config, v value) { c.Metrics.SummaryRotate = v.d },
		},
	},
	ignore(javaPart,
		Key{Name: "metricsProvider.numWorkerThreads", Prop: own, Type: anyInt, Default: "10", Doc: "threads"},
		Key{Name: "metricsProvider.maxQueueSize", Prop: own, Type: anyInt, Doc: "queue"},
		Key{Name: "metricsProvider.workerShutdownTimeoutMs", Prop: own, Type: anyInt, Default: "1000", Doc: "wait at shutdown"},
	),
	[]Key{
		{Name: "metricsProvider.ssl.keyStore.password", Prop: own, Type: anyText, Stance: Honoured, secret: true, Doc: "HTTPS of the Prometheus endpoint"},
		{Name: "metricsProvider.ssl.trustStore.password", Prop: own, Type: anyText, Stance: Honoured, secret: true, Doc: "HTTPS of the Prometheus endpoint"},
		{Name: "metricsProvider.ssl.*", Prop: own, Type: anyText, Stance: Honoured, Doc: "HTTPS of the Prometheus endpoint"},
	},
)

var metricsProviders = map[string]string{
	"org.apache.zookeeper.metrics.impl.DefaultMetricsProvider":          "default",
	"org.apache.zookeeper.metrics.impl.NullMetricsProvider":             "null",
	"org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider": "prometheus",
}

func checkMetrics(text string, _ bool) (value, error) {
	if metricsProviders[text] == "" {
		return value{}, fmt.Errorf("is refused: metrics provider class was not found")
	}
	return value{}, nil
}

// zkdKeys: keys that ZooKeeper does not have.
var zkdKeys = []Key{
	{
		Name: "zkd.logStore", Prop: "zkd.logStore", Type: oneOf("wal", "bolt"), Default: "wal", Stance: Honoured,
		Doc:  "store of the raft log",
		bind: func(c *Config, v value) { c.LogStore = v.text },
	},
	{
		Name: "zkd.membership", Prop: "zkd.membership", Type: oneOf("reconfig", "file"), Default: "reconfig", Stance: Honoured,
		Doc:  "who decides about the members: reconfig and zkd member, or the server lines of most zoo.cfg files as well",
		bind: func(c *Config, v value) { c.MembershipByFile = v.text == "file" },
	},
	{
		Name: "zkd.quorum.secretFile", Prop: "zkd.quorum.secretFile", Type: nonEmpty, Stance: Honoured,
		Doc: "file with the secret that the servers of an ensemble prove to one another to have, at least 16 bytes",
	},
	{
		Name: "zkd.ignoreWeights", Prop: "zkd.ignoreWeights", Type: boolean, Default: "false", Stance: Honoured,
		Doc: "allows weights that differ: each voter has one vote all the same",
	},
	{
		Name: "zkd.scrubInterval", Prop: "zkd.scrubInterval", Type: interval, Default: "10m", Stance: Honoured,
		Doc:  "period in which a server checks what it has in memory, a number with ms, s, m or h (without: hours); 0: never",
		bind: func(c *Config, v value) { c.ScrubInterval = v.d },
	},
	{
		Name: "zkd.startEmpty", Prop: "zkd.startEmpty", Type: boolean, Default: "false", Stance: Honoured,
		Doc:  "allows a first start, with an empty tree, in a directory that has the data of a ZooKeeper server",
		bind: func(c *Config, v value) { c.StartEmpty = v.yes },
	},
	{
		Name: "zkd.unsafeNoSync", Prop: "zkd.unsafeNoSync", Type: boolean, Default: "false", Stance: Honoured,
		Doc: "allows forceSync=no",
	},
}

// foreignKeys are properties of clients, of tests and of the start script. They
// show up in server flags and mean nothing to a server.
var foreignKeys = hushed(
	"client.secure", "clientCnxnSocket", "request.timeout", "sasl.client", "sasl.client.username",
	"sasl.client.canonicalize.hostname", "sasl.clientconfig", "server.principal", "server.realm",
	"disableAutoWatchReset", "shuffleDnsResponse", "hostProvider.*", "controllerPort",
	"testingonly.initialZxid", "test.allowDiscontinuousProposals",
	"log.dir", "log.file", "log.threshold", "log.maxfilesize", "log.maxbackupindex",
	"root.logger", "console.threshold", "tracelog.dir", "tracelog.file",
	"auditlog.file", "auditlog.threshold", "audit.logger",
)

func hushed(names ...string) []Key {
	var keys []Key
	for _, name := range names {
		keys = append(keys, Key{Name: name, Type: anyText, Stance: Ignored, Reason: "it does not concern a server", hush: true})
	}
	return keys
}
