package zoocfg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zkd/test/ports"
	"zkd/test/wire"
)

// TestOfficialImage starts three servers as docker run -e ZOO_MY_ID=… -e ZOO_SERVERS=… does, without a file.
func TestOfficialImage(t *testing.T) {
	dir := t.TempDir()
	var servers []*server
	var lines []string
	for i := range 3 {
		s := bare(t, filepath.Join(dir, fmt.Sprint(i+1)))
		lines = append(lines, fmt.Sprintf("server.%d=127.0.0.1:%d:%d;%d", i+1, ports.Everywhere(t), ports.Everywhere(t), s.port))
		servers = append(servers, s)
	}
	for i, s := range servers {
		s.env = []string{
			"ZOO_SERVERS=" + strings.Join(lines, " "), "ZOO_CONF_DIR=" + s.dir, "ZOO_DATA_DIR=" + s.dir + "/data", "ZOO_DATA_LOG_DIR=" + s.dir + "/datalog",
			"ZOO_TICK_TIME=1000", "ZOO_4LW_COMMANDS_WHITELIST=srvr,conf", fmt.Sprintf("ZOO_MY_ID=%d", i+1),
		}
		s.start()
	}
	for _, s := range servers {
		s.await()
	}
	serve(t, servers)
	text, err := wire.Words(servers[1].addr(), "conf", patience)
	if err != nil || !strings.Contains(text, "serverId=2\n") || !strings.Contains(text, "tickTime=1000\n") || !strings.Contains(text, "initLimit=5\n") {
		t.Errorf("conf: %v\n%s", err, text)
	}
	second := servers[1]
	_ = second.cmd.Process.Signal(os.Interrupt)
	second.end()
	if id, err := os.ReadFile(second.dir + "/data/myid"); err != nil || string(id) != "2\n" {
		t.Errorf("myid is %q, %v", id, err)
	}
	second.env = second.env[:len(second.env)-1] // the file tells the number now
	second.start()
	second.await()
}

// TestOtherImages has variables that are not honoured and say who is a member: no server starts as a lone one.
func TestOtherImages(t *testing.T) {
	for name, tt := range map[string]struct {
		env  []string
		want string
	}{
		"Confluent": {[]string{"ZOOKEEPER_CLIENT_PORT=2181", "ZOOKEEPER_SERVER_ID=1", "ZOOKEEPER_SERVERS=zk-1:2888:3888;zk-2:2888:3888;zk-3:2888:3888"},
			`ZOO_SERVERS="server.1=zk-1:2888:3888;2181 server.2=zk-2:2888:3888;2181 server.3=zk-3:2888:3888;2181"`},
		"bitnami":  {[]string{"ZOO_SERVER_ID=1", "ZOO_SERVERS=zk-1:2888:3888::1 zk-2:2888:3888::2"}, "ZOO_SERVERS: zk-1 is no line of a server"},
		"official": {[]string{"ZOO_SERVERS=server.1=zk-1:2888:3888;2181 server.2=zk-2:2888:3888;2181"}, "or set ZOO_MY_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			s := bare(t, filepath.Join(t.TempDir(), "1"))
			s.env = tt.env
			s.start()
			if code := s.end(); code != 2 || !strings.Contains(s.log(), tt.want) {
				t.Errorf("exit code %d\n%s", code, s.log())
			}
		})
	}
}

// TestFlagsBesideTheFile has the limit of requests raised as an installation of ZooKeeper does, in conf/java.env.
func TestFlagsBesideTheFile(t *testing.T) {
	s := bare(t, filepath.Join(t.TempDir(), "1"))
	s.config = s.dir + "/zoo.cfg"
	s.write(s.config, fmt.Sprintf("dataDir=%s/data\nclientPort=%d\n", s.dir, s.port))
	s.write(s.dir+"/java.env", "#!/bin/sh\nexport SERVER_JVMFLAGS=\"-Xmx2g \\\n  -Djute.maxbuffer=4194304 $SERVER_JVMFLAGS\"\n")
	s.env = []string{"KAFKA_OPTS=-Dzookeeper.4lw.commands.whitelist=srvr"}
	s.start()
	s.await()
	c := s.connect()
	if r := s.call(c, wire.OpCreate, wire.Create{Path: "/long", Data: make([]byte, 2<<20), ACL: wire.OpenACL}); r.Err != 0 {
		t.Errorf("create of 2 MiB: %v", r.Err)
	}
	if text, err := wire.Words(s.addr(), "mntr", patience); err != nil || !strings.Contains(text, "not in the whitelist") {
		t.Errorf("mntr: %v, %s", err, text)
	}
}

// bare is a server without a file.
func bare(t *testing.T, dir string) *server {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &server{t: t, dir: dir, port: ports.Everywhere(t), changed: strings.NewReplacer()}
}
