package zoocfg

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"zkd/test/ports"
	"zkd/test/wire"
)

// TestOwnWildcard has the life of an ensemble of which each server has 0.0.0.0 in its own line: the leader is killed and
// comes back, a fourth server, whose own line is a wildcard, too, is taken in, and all are restarted together.
func TestOwnWildcard(t *testing.T) {
	servers := install(t, "14-strimzi-plain")
	for _, s := range servers {
		s.append("skipACL=yes")
		s.start()
	}
	for _, s := range servers {
		s.await()
	}
	serve(t, servers)

	leader := leaderOf(t, servers)
	servers[leader].kill()
	rest := append(append([]*server{}, servers[:leader]...), servers[leader+1:]...)
	c := rest[0].connect()
	if r := rest[0].call(c, wire.OpSetData, wire.SetData{Path: "/written-at-1", Data: []byte("x"), Version: -1}); r.Err != 0 {
		t.Errorf("write without the former leader: %v", r.Err)
	}
	servers[leader].start()
	servers[leader].await()

	fourth := joining(t, servers)
	fourth.start()
	if r := rest[0].call(c, wire.OpReconfig, join(fourth.line("0.0.0.0"))); r.Err != wire.CodeBadArguments {
		t.Errorf("a wildcard joins: %v", r.Err)
	}
	if r := rest[0].call(c, wire.OpReconfig, join(fourth.line("127.0.0.1"))); r.Err != 0 || wildcard.Match(r.Data) {
		t.Fatalf("reconfig: %v, %s", r.Err, r.Data)
	}
	fourth.await()
	servers = append(servers, fourth)
	for _, s := range servers {
		_ = s.cmd.Process.Signal(os.Interrupt)
		s.end()
		if strings.Contains(s.log(), "address is 0.0.0.0") {
			t.Errorf("the server complains of its own line:\n%s", s.log())
		}
	}
	for _, s := range servers {
		s.start()
	}
	for _, s := range servers {
		s.await()
	}
	again := servers[3].connect()
	for i := range 3 {
		if r := fourth.call(again, wire.OpGetData, wire.PathWatch{Path: fmt.Sprintf("/written-at-%d", i+1)}); r.Err != 0 {
			t.Errorf("after the restart: %v", r.Err)
		}
	}
	r := fourth.call(again, wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config"})
	if wildcard.Match(r.Data) || !strings.Contains(string(r.Data), fourth.line("127.0.0.1")) {
		t.Errorf("the list is\n%s", r.Data)
	}
}

// TestPlaceByTwoFiles has two servers that name the third differently: one of them is wrong, and the address at which
// somebody has reached it is taken.
func TestPlaceByTwoFiles(t *testing.T) {
	servers := install(t, "03-docker-official-0000")
	third := strings.Split(servers[0].text(), "server.1=0.0.0.0:")[1]
	third = strings.Split(third, "\n")[0]
	wrong := fmt.Sprintf("server.1=127.0.0.1:%d:%d;1\n", ports.For(t), ports.For(t))
	servers[1].write(servers[1].config, strings.Replace(servers[1].text(), "server.1=127.0.0.1:"+third+"\n", wrong, 1))
	for _, s := range servers {
		s.write(s.config, strings.Replace(s.text(), "tickTime=2000", "tickTime=200", 1)) // who cannot come is waited for, for initLimit
		s.start()
	}
	for _, s := range servers {
		s.await()
	}
	c := servers[0].connect()
	r := servers[0].call(c, wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config"})
	if leaderOf(t, servers) == 0 && !strings.Contains(string(r.Data), "server.1=127.0.0.1:"+strings.Split(third, ";")[0]) || wildcard.Match(r.Data) {
		t.Errorf("the list is\n%s", r.Data)
	}
}

func leaderOf(t *testing.T, servers []*server) int {
	for i, s := range servers {
		if text, err := wire.Words(s.addr(), "srvr", patience); err == nil && strings.Contains(text, "Mode: leader") {
			return i
		}
	}
	t.Fatal("nobody leads")
	return 0
}

func (s *server) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	s.end()
}

func (s *server) text() string {
	s.t.Helper()
	b, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func (s *server) append(line string) { s.write(s.config, s.text()+line+"\n") }

// joining is a fourth server that lists the three and itself.
func joining(t *testing.T, servers []*server) *server {
	s := &server{t: t, dir: strings.Replace(servers[0].dir, "/1", "/4", 1), port: ports.Everywhere(t), changed: servers[0].changed}
	s.config = s.dir + "/zoo.cfg"
	s.peers = [2]int{ports.Everywhere(t), ports.Everywhere(t)}
	text := strings.Replace(servers[1].text(), "2/data", "4/data", 1)
	text = strings.Replace(text, "server.2=0.0.0.0", "server.2=127.0.0.1", 1)
	s.write(s.config, text+s.line("0.0.0.0")+"\n")
	s.write(s.dir+"/data/myid", "4\n")
	return s
}

func join(line string) wire.Reconfig {
	return wire.Reconfig{Joining: line, Leaving: wire.Null, Members: wire.Null, ConfigID: -1}
}

// line is that of the fourth server.
func (s *server) line(host string) string {
	return fmt.Sprintf("server.4=%s:%d:%d:participant;127.0.0.1:%d", host, s.peers[0], s.peers[1], s.port)
}
