package conf

import (
	"strings"
	"testing"
)

func TestOwnLine(t *testing.T) {
	list := func(hosts ...string) string {
		var b strings.Builder
		b.WriteString(base + "initLimit=5\nsyncLimit=2\n")
		for i, h := range hosts {
			b.WriteString("server." + string(rune('1'+i)) + "=" + h + ":2888:3888;2181\n")
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, text    string
		everywhere    bool
		unplaced      bool
		notice, warns string
		refused       string
	}{
		{name: "a name", text: list("zk1", "zk2", "zk3")},
		{name: "wildcard", text: list("0.0.0.0", "zk2", "zk3"), everywhere: true, unplaced: true,
			notice: "zoo.cfg:5: server.1=0.0.0.0:2888:3888;2181: this server listens on every address, and the other servers' files say where it is"},
		{name: "IPv6 wildcard", text: list("[::]", "zk2", "zk3"), everywhere: true, unplaced: true, notice: "zoo.cfg:5: server.1=[::]:2888:3888;2181: this server listens"},
		{name: "IPv6 wildcard in full", text: list("[0:0::0]", "zk2", "zk3"), everywhere: true, unplaced: true, notice: "this server listens"},
		{name: "loopback among others", text: list("localhost", "zk2", "zk3"), everywhere: true, unplaced: true, warns: "zoo.cfg:5: server.1=localhost:2888:3888;2181: the others are on other machines"},
		{name: "all on loopback", text: list("127.0.0.1", "localhost", "127.0.0.3") + "server.4=[::1]:2888:3888;2181\nserver.5=localhost.localdomain:2888:3888\n"},
		{name: "wildcard among loopback", text: list("0.0.0.0", "127.0.0.1", "127.0.0.3"), everywhere: true, unplaced: true, notice: "this server listens"},
		{name: "wildcard and address", text: list("0.0.0.0:2888:3888|zk1", "zk2", "zk3") + "multiAddress.enabled=true", everywhere: true, notice: "this server listens on every address"},
		{name: "another's wildcard", text: list("zk1", "0.0.0.0", "zk3"),
			refused: "zoo.cfg:6: server.2=0.0.0.0:2888:3888;2181 gives no address at which this server, which is 1, can reach server 2"},
		{name: "all wildcards", text: list("0.0.0.0", "0.0.0.0", "[::]"), refused: "zoo.cfg:6: server.2=0.0.0.0"},
		{name: "alone", text: list("0.0.0.0"), notice: "only one server specified"},
		{name: "alone in an ensemble", text: list("0.0.0.0") + "standaloneEnabled=false", refused: "zoo.cfg:5: server.1=0.0.0.0:2888:3888;2181 says where to listen and not where this server is, " +
			"and no other server is listed whose file could: write its name or address, as in server.1=host.example.org:2888:3888"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := testLoader(notYet, map[string]string{"zoo.cfg": tt.text, "/d/myid": "1"})
			l.addFile("zoo.cfg")
			cfg, report, err := l.finish()
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if cfg.QuorumListenOnAll != tt.everywhere || (cfg.Unplaced == "zoo.cfg:5") != tt.unplaced {
				t.Errorf("listens everywhere: %v, unplaced: %q", cfg.QuorumListenOnAll, cfg.Unplaced)
			}
			if tt.notice != "" {
				wantText(t, report, Notice, tt.notice)
			}
			if tt.warns != "" {
				wantText(t, report, Warning, tt.warns)
			}
		})
	}
}
