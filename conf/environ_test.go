package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loadIn loads as a process with an environment does, from files that are not
// on the disk.
func loadIn(environ Environ, path string, files map[string]string, props ...Property) (*Config, *Report, error) {
	return testLoader(notYet, files).load(environ, path, props)
}

// fewest are the lines that the image makes of nothing set.
var officialThree = Environ{"ZOO_MY_ID=2", "ZOO_SERVERS=server.1=zk1:2888:3888;2181 server.2=zk2:2888:3888;2181\n server.3=zk3:2888:3888:observer;2181"}

// TestVariables has what variables of ZooKeeper's images come to.
func TestVariables(t *testing.T) {
	with := func(more ...string) Environ { return append(append(Environ{}, officialThree...), more...) }
	file := func(text string) map[string]string { return map[string]string{"/conf/zoo.cfg": text} }
	three := "dataDir=/d\ninitLimit=5\nsyncLimit=2\nserver.1=zk1:2888:3888;2181\nserver.2=zk2:2888:3888;2181\nserver.3=zk3:2888:3888:observer;2181\n"
	for _, tt := range []struct {
		name    string
		environ Environ
		path    string
		files   map[string]string
		ok      func(*Config) bool
		say     string // each line must be found in the report
		never   string // must not
		refused bool
	}{
		{name: "of nothing", environ: Environ{"HOME=/root"}, ok: func(c *Config) bool {
			return c.ClientAddr == "127.0.0.1:2181" && c.DataDir == defaultDataDir && !c.NewMyID
		}},
		{name: "three servers", environ: officialThree, never: "not honoured", ok: func(c *Config) bool {
			return c.ServerID == 2 && c.NewMyID && len(c.Servers) == 3 && c.Servers[2].Observer && c.ClientAddr == ":2181" && c.InitLimit == 5 && c.SyncLimit == 2 &&
				c.TickTime.Milliseconds() == 2000 && c.MaxClientCnxns == 60 && c.EnsembleMode()
		}},
		{name: "all lines", environ: Environ{"ZOO_MY_ID=1", "ZOO_DATA_DIR=/data", "ZOO_DATA_LOG_DIR=/datalog", "ZOO_TICK_TIME=500", "ZOO_INIT_LIMIT=7", "ZOO_SYNC_LIMIT=8",
			"ZOO_AUTOPURGE_SNAPRETAINCOUNT=9", "ZOO_AUTOPURGE_PURGEINTERVAL=1", "ZOO_MAX_CLIENT_CNXNS=11", "ZOO_STANDALONE_ENABLED=false", "ZOO_ADMINSERVER_ENABLED=false",
			"ZOO_4LW_COMMANDS_WHITELIST=srvr, mntr", "ZOO_CFG_EXTRA=snapCount=77 reconfigEnabled=true", "ZOO_SERVERS=server.1=zk1:2888:3888;2181"},
			never: "not honoured", ok: func(c *Config) bool {
				return c.DataDir == "/data" && c.DataLogDir == "/datalog" && c.TickTime.Milliseconds() == 500 && c.InitLimit == 7 && c.SyncLimit == 8 && c.SnapRetainCount == 9 &&
					c.PurgeInterval.Hours() == 1 && c.MaxClientCnxns == 11 && !c.StandaloneEnabled && c.FourLetterWords.String() == "mntr,srvr" && c.SnapCount == 77 && c.ReconfigEnabled
			}},
		{name: "one server", environ: Environ{"ZOO_DATA_DIR=/data"}, ok: func(c *Config) bool { return c.ClientAddr == ":2181" && c.DataDir == "/data" && c.ServerID == 1 }},
		{name: "the last of the extra", environ: Environ{"ZOO_TICK_TIME=500", "ZOO_CFG_EXTRA=tickTime=700"}, ok: func(c *Config) bool { return c.TickTime.Milliseconds() == 700 }},
		{name: "over a default", environ: Environ{"ZOO_CFG_EXTRA=initLimit=70"}, ok: func(c *Config) bool { return c.InitLimit == 70 }},
		{name: "a bad value", environ: Environ{"ZOO_TICK_TIME=x"}, refused: true, say: "error: ZOO_TICK_TIME: tickTime=x must be"},
		{name: "a bad server", environ: Environ{"ZOO_SERVERS=server.1=zk1"}, refused: true, say: "error: ZOO_SERVERS: server.1=zk1 does not have the form"},
		{name: "unknown extra", environ: Environ{"ZOO_CFG_EXTRA=snapCounts=5"}, say: "ZOO_CFG_EXTRA: unknown key snapCounts, ignored; the nearest known key is snapCount"},
		{name: "servers of bitnami", environ: Environ{"ZOO_SERVER_ID=1", "ZOO_SERVERS=zk1:2888:3888::1,zk2:2888:3888::2"}, refused: true,
			say: "error: ZOO_SERVERS: zk1 is no line of a server; it must be server.N=host:port:port;clientPort"},
		{name: "no id", environ: officialThree[1:], refused: true, say: "myid file is missing\nor set ZOO_MY_ID"},
		{name: "id not in the list", environ: append(officialThree[1:], "ZOO_MY_ID=4"), refused: true, say: "ZOO_MY_ID: My id 4 not in the peer list"},
		{name: "bad id", environ: append(officialThree[1:], "ZOO_MY_ID=x"), refused: true, say: "ZOO_MY_ID: serverid x is not a number"},
		{name: "myid is there", environ: with(), files: map[string]string{"zkd-data/myid": "3"}, say: "warning: ZOO_MY_ID: ZOO_MY_ID=2 has no effect: zkd-data/myid says 3",
			ok: func(c *Config) bool { return c.ServerID == 3 && !c.NewMyID }},
		{name: "an id for a file", environ: Environ{"ZOO_MY_ID=2"}, path: "/conf/zoo.cfg", files: file(three), never: "not honoured", ok: func(c *Config) bool { return c.ServerID == 2 && c.NewMyID }},
		{name: "the image's directory", environ: Environ{"ZOO_CONF_DIR=/conf", "ZOO_DATA_DIR=/data", "ZOO_TICK_TIME=2000"}, files: file(base), never: "not honoured",
			ok: func(c *Config) bool { return c.File == "/conf/zoo.cfg" && c.DataDir == "/d" }},
		{name: "the image's directory, empty", environ: Environ{"ZOO_CONF_DIR=/conf", "ZOO_DATA_DIR=/data"}, ok: func(c *Config) bool { return c.File == "" && c.DataDir == "/data" }},
		{name: "zkEnv's directory", environ: Environ{"ZOOCFGDIR=/conf", "ZOOCFG=my.cfg"}, files: map[string]string{"/conf/my.cfg": base}, ok: func(c *Config) bool { return c.File == "/conf/my.cfg" }},
		{name: "zkEnv's file", environ: Environ{"ZOOCFG=/etc/zookeeper/conf/zoo.cfg"}, files: map[string]string{"/etc/zookeeper/conf/zoo.cfg": base},
			ok: func(c *Config) bool { return c.File == "/etc/zookeeper/conf/zoo.cfg" }},
		{name: "a file counts", environ: Environ{"ZOO_TICK_TIME=500", "ZOO_CFG_EXTRA=snapCount=5"}, path: "/conf/zoo.cfg", files: file(base + "tickTime=2000"),
			say: "warning: ZOO_TICK_TIME: ZOO_TICK_TIME is not honoured: /conf/zoo.cfg is the configuration\nwarning: ZOO_CFG_EXTRA: ZOO_CFG_EXTRA is not honoured",
			ok:  func(c *Config) bool { return c.TickTime.Milliseconds() == 2000 && c.SnapCount == 100000 }},
		{name: "a file that says the same", environ: Environ{"ZOO_TICK_TIME=500"}, path: "/conf/zoo.cfg", files: file(base + "tickTime=500"), never: "not honoured"},
		{name: "other servers than the file", environ: officialThree, path: "/conf/zoo.cfg", files: file(base), refused: true, say: "error: ZOO_SERVERS: ZOO_SERVERS is not honoured, and lists servers otherwise than /conf/zoo.cfg does"},
		{name: "the file's servers", environ: officialThree, path: "/conf/zoo.cfg", files: file(three), say: "warning: ZOO_SERVERS: ZOO_SERVERS is not honoured; it says what the server lines say"},
		{name: "the file's servers, own wildcard", environ: officialThree, path: "/conf/zoo.cfg", files: file(strings.Replace(three, "zk2", "0.0.0.0", 1)), say: "it says what the server lines say"},
		{name: "other variables", environ: Environ{"ZOO_LOG_DIR=/logs", "ZOO_LOG4J_PROP=INFO,CONSOLE", "ZOO_MAX_SESSION_TIMEOUT=5", "ZOO_AUTOPURGE_INTERVAL=1", "ZOO_EMPTY="}, path: "/conf/zoo.cfg", files: file(base),
			say: "ZOO_LOG_DIR is not honoured: zkd logs to standard error\nZOO_LOG4J_PROP is not honoured\nZOO_MAX_SESSION_TIMEOUT is not honoured: the key of zoo.cfg is maxSessionTimeout\nwarning: ZOO_AUTOPURGE_INTERVAL", never: "ZOO_EMPTY"},
		{name: "Confluent's", environ: Environ{"ZOOKEEPER_CLIENT_PORT=22181", "ZOOKEEPER_TICK_TIME=2000", "ZOOKEEPER_SERVER_ID=1"},
			say: "warning: ZOOKEEPER_CLIENT_PORT: ZOOKEEPER_CLIENT_PORT is not honoured: the key of zoo.cfg is clientPort\nwarning: ZOOKEEPER_SERVER_ID\nwarning: ZOOKEEPER_TICK_TIME: ZOOKEEPER_TICK_TIME is not honoured: the key of zoo.cfg is tickTime"},
		{name: "Confluent's servers", environ: Environ{"ZOOKEEPER_CLIENT_PORT=22181", "ZOOKEEPER_SERVER_ID=2", "ZOOKEEPER_SERVERS=a:22888:23888;b:32888:33888;c:42888:43888"}, refused: true,
			say: "error: ZOOKEEPER_SERVERS: ZOOKEEPER_SERVERS is not honoured, and lists servers otherwise than the configuration does\nzkd takes ZOO_SERVERS=\"server.1=a:22888:23888;22181 server.2=b:32888:33888;22181 server.3=c"},
		{name: "Confluent's id", environ: append(Environ{"ZOOKEEPER_SERVER_ID=3"}, officialThree...), refused: true, say: "ZOOKEEPER_SERVER_ID=3 is not honoured, and this server is 2 without it"},
		{name: "Kubernetes and Docker", environ: Environ{"ZOOKEEPER_PORT=tcp://10.0.0.1:2181", "ZOOKEEPER_SERVICE_HOST=10.0.0.1", "ZOOKEEPER_SERVICE_PORT_CLIENT=2181",
			"ZOOKEEPER_PORT_2181_TCP_ADDR=10.0.0.1", "ZOO_PORT=tcp://10.0.0.1:2181"}, never: "not honoured"},
		{name: "Kafka's flags", environ: Environ{"KAFKA_OPTS=-Dzookeeper.4lw.commands.whitelist=ruok -Djute.maxbuffer=5000 -Dkafka.x=1"}, path: "/conf/zoo.cfg", files: file(base),
			say: "KAFKA_OPTS: without meaning for zkd: kafka.x", ok: func(c *Config) bool { return c.JuteMaxBuffer == 5000 && c.FourLetterWords.String() == "ruok,srvr" }},
		{name: "the order of flags", environ: Environ{"JVMFLAGS=-Dzookeeper.maxCnxns=2", "SERVER_JVMFLAGS=-Dzookeeper.maxCnxns=1", "ZOO_DATADIR_AUTOCREATE_DISABLE=1"},
			ok: func(c *Config) bool { return c.MaxCnxns == 2 && !c.AutoCreate }},
		{name: "files beside zoo.cfg", path: "/conf/zoo.cfg", environ: Environ{"SERVER_JVMFLAGS=-Dzookeeper.maxCnxns=1"}, files: map[string]string{"/conf/zoo.cfg": base,
			"/conf/zookeeper-env.sh": "export SERVER_JVMFLAGS=\"$SERVER_JVMFLAGS -Dzookeeper.snapCount=9\"\nZOO_LOG_DIR=/var/log\n", "/conf/java.env": "JVMFLAGS='-Xmx1g -Djute.maxbuffer=8388608'"},
			say: "/conf/java.env:1: JVMFLAGS: without meaning for zkd: -Xmx1g\n/conf/zookeeper-env.sh:2: ZOO_LOG_DIR: ZOO_LOG_DIR is not honoured",
			ok:  func(c *Config) bool { return c.MaxCnxns == 1 && c.SnapCount == 9 && c.JuteMaxBuffer == 8<<20 }},
		{name: "java.env of the image", environ: Environ{"ZOO_CONF_DIR=/conf", "ZOO_MY_ID=1"}, files: map[string]string{"/conf/java.env": "SERVER_JVMFLAGS=-Djute.maxbuffer=7777"}, ok: func(c *Config) bool { return c.JuteMaxBuffer == 7777 }},
		{name: "java.env with a condition", environ: Environ{"X=1"}, path: "/conf/zoo.cfg", files: map[string]string{"/conf/zoo.cfg": base, "/conf/java.env": "if [ -n \"$X\" ]; then\n  JVMFLAGS=-Djute.maxbuffer=5\nfi\n"},
			say: "warning: /conf/java.env:2: this is no plain assignment", ok: func(c *Config) bool { return c.JuteMaxBuffer == 1048575 }},
		{name: "the file wins over all", environ: Environ{"KAFKA_OPTS=-Djute.maxbuffer=5000"}, path: "/conf/zoo.cfg", files: file(base + "jute.maxbuffer=6000"), ok: func(c *Config) bool { return c.JuteMaxBuffer == 6000 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, report, err := loadIn(tt.environ, tt.path, tt.files)
			if (err != nil) != tt.refused {
				t.Fatalf("error %v\n%s", err, report)
			}
			for want := range strings.SplitSeq(tt.say, "\n") {
				if !strings.Contains(report.String(), want) {
					t.Errorf("no %q in\n%s", want, report)
				}
			}
			if tt.never != "" && strings.Contains(report.String(), tt.never) {
				t.Errorf("%q in\n%s", tt.never, report)
			}
			if tt.ok != nil && !tt.refused && !tt.ok(cfg) {
				t.Errorf("wrong result: %+v", cfg)
			}
		})
	}
}

// A process that knows of no configuration, or has one by its environment.
func TestConfigures(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile(filepath.Join(dir, "zoo.cfg"), []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	for environ, want := range map[string]bool{"HOME=/": false, "ZOO_LOG_DIR=/l": false, "ZOO_SERVERS=x": true, "ZOO_CONF_DIR=" + dir: true, "ZOOCFGDIR=" + dir + "/none": false} {
		if got := (Environ{environ}).Configures(); got != want {
			t.Errorf("%s: %v", environ, got)
		}
	}
	cfg, _, err := Environ{"ZOO_CONF_DIR=" + dir}.Load("", nil)
	if err != nil || cfg.DataDir != "/d" {
		t.Errorf("%+v, %v", cfg, err)
	}
	outside, _, err := Environ{"ZOOKEEPER_SERVERS=a:1:2;b:1:2"}.LoadOutside(filepath.Join(dir, "zoo.cfg"), nil)
	if err != nil || outside.DataDir != "/d" {
		t.Errorf("outside: %+v, %v", outside, err)
	}
	if len(Variables()) != len(imageVariables) {
		t.Error("the table is not whole")
	}
}
