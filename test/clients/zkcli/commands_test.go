package zkcli

import (
	"strings"
	"testing"

	"zkd/test/clients/suite"
)

// stat is the block of eleven lines that -s adds.
const stat = `cZxid = 0x[0-9a-f]+
ctime = \w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}
mZxid = 0x[0-9a-f]+
mtime = \w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}
pZxid = 0x[0-9a-f]+
`

func counts(cversion, version, aversion, owner, length, children string) string {
	return stat + "cversion = " + cversion + "\ndataVersion = " + version + "\naclVersion = " + aversion +
		"\nephemeralOwner = " + owner + "\ndataLength = " + length + "\nnumChildren = " + children
}

// TestCommands goes through the commands of zkCli's help in one session for each release; the steps build on one
// another.
func TestCommands(t *testing.T) {
	each(t, func(t *testing.T, c *cli, srv suite.Server) {
		s := c.open(t, srv.Addr())
		steps := []struct {
			name string
			run  func(*testing.T, *cli, *session)
		}{
			{"create", create}, {"get", get}, {"set", set}, {"list", list}, {"acl", acl}, {"auth", auth},
			{"quota", quota}, {"watches", watches}, {"addWatch", addWatch}, {"counting", counting}, {"config", config},
			{"history", history}, {"delete", remove}, {"quoting", quoting}, {"unknown", unknown},
		}
		for _, step := range steps {
			t.Run(step.name, func(t *testing.T) {
				s.t = t
				step.run(t, c, s)
			})
		}
		s.t = t
		t.Run("connect", func(t *testing.T) { connect(t, s, srv.Addr()) })
	})
}

func create(t *testing.T, c *cli, s *session) {
	s.want("create /a hello", "Created /a")
	s.want("create /a again", "Node already exists: /a")
	s.want("create /a/b", "Created /a/b")
	s.want("create -s /a/s- x", "Created /a/s-0000000001")
	s.want("create -e /e eph", "Created /e")
	s.want("create /e/x", "Ephemerals cannot have children: /e/x")
	s.match("create -e -s /es- y", `Created /es-\d{10}`)
	s.want("create -c /c", "Created /c")
	s.want("create -t 60000 /ttl d", "Created /ttl")
	s.match("create -s -t 60000 /ttls- d", `Created /ttls-\d{10}`)
	s.want("create -c -e /bad", "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.")
	s.want("create -t 5 -e /bad", "TTLs cannot be used with Ephemeral znodes")
	s.want("create /acl d world:anyone:r", "Created /acl")
	s.want("create /acl/x", "Insufficient permission : /acl/x")
	s.want("create nopath", "Path must start with / character")
	s.want("create /x/y/z", "Node does not exist: /x/y/z")
	s.want("create", "create [-s] [-e] [-c] [-t ttl] path [data] [acl]")
}

func get(t *testing.T, c *cli, s *session) {
	s.want("get /a", "hello")
	s.match("get -s /a", "hello\n"+counts("2", "0", "0", "0x0", "5", "2"))
	s.match("get -s /e", "eph\n"+counts("0", "0", "0", "0x[1-9a-f][0-9a-f]*", "3", "0"))
	// The owners that mark TTL and container nodes inside the server are nobody's session, so they are not shown.
	s.match("stat /ttl", counts("0", "0", "0", "0x0", "1", "0"))
	s.match("stat /c", counts("0", "0", "0", "0x0", "0", "0"))
	s.want("get /a/b", "null")
	s.want("get /nosuch", "Node does not exist: /nosuch")
	s.want("stat /nosuch", "Node does not exist: /nosuch")
	if c.minor == "3.8" {
		s.match("get -b /a", ".*Unrecognized option: -b") // came with 3.9
		return
	}
	s.want("get -b /a", "aGVsbG8=")
	s.match("get -x /a", `.*\|00000000\| 68 65 6c 6c 6f  .*\|hello .*`)
}

func set(t *testing.T, c *cli, s *session) {
	s.want("set /a bye")
	s.match("set -s /a bye2", counts("2", "2", "0", "0x0", "4", "2"))
	s.want("set -v 9 /a no", "version No is not valid : /a")
	s.want("set -v 2 /a three")
	s.want("set /nosuch d", "Node does not exist: /nosuch")
	s.want("get /a", "three")
	if c.minor != "3.8" {
		s.want("set -b /a aGVsbG8=")
		s.want("get /a", "hello")
	}
	s.want("set /a hello")
}

func list(t *testing.T, c *cli, s *session) {
	s.match("ls /", `\[a, acl, c, e, es-\d{10}, ttl, ttls-\d{10}, zookeeper\]`)
	s.match("ls -s /a", `\[b, s-0000000001\]`+"\n"+counts("2", `\d`, "0", "0x0", "5", "2"))
	s.want("ls -R /a", "/a", "/a/b", "/a/s-0000000001")
	s.want("ls /nosuch", "Node does not exist: /nosuch")
	s.want("ls nopath", "Path must start with / character")
	s.want("ls /a/b", "[]")
	s.want("sync /a", "Sync is OK")
	s.want("sync /nosuch", "Sync is OK")
}

func acl(t *testing.T, c *cli, s *session) {
	s.want("getAcl /a", "'world,'anyone", ": cdrwa")
	s.match("getAcl -s /a", "'world,'anyone\n: cdrwa\n"+counts("2", `\d`, "0", "0x0", "5", "2"))
	s.want("setAcl /acl world:anyone:rw", "Insufficient permission : /acl") // its ACL has no a
	s.want("create /acls d", "Created /acls")
	s.match("setAcl -s /acls world:anyone:cdra", counts("0", "0", "1", "0x0", "1", "0"))
	s.want("getAcl /acls", "'world,'anyone", ": cdra")
	s.want("set /acls d", "Insufficient permission : /acls")
	s.want("setAcl -v 7 /acls world:anyone:r", "version No is not valid : /acls")
	s.want("setAcl /acls nosuch:x:r", "Acl is not valid : /acls")
	s.want("setAcl /acls bad", "bad does not have the form scheme:id:perm", "Acl is not valid : null")
	s.want("setAcl -R /a world:anyone:cdrw")
	s.want("getAcl /a/b", "'world,'anyone", ": cdrw")
	s.match("setAcl -R /a world:anyone:cdrwa", "KeeperErrorCode = NoAuth for /a.*")
}

func auth(t *testing.T, c *cli, s *session) {
	s.want("whoami", "Auth scheme: User", "ip: 127.0.0.1")
	s.want("addauth digest u:p")
	s.want("whoami", "Auth scheme: User", "ip: 127.0.0.1", "digest: u")
	s.want("create /mine d auth::cdrwa", "Created /mine")
	s.want("getAcl /mine", "'digest,'u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=", ": cdrwa")
	s.want("set /mine e")
	s.want("create /theirs d digest:v:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=:cdrwa", "Created /theirs")
	s.want("get /theirs", "Insufficient permission : /theirs")
	s.want("addauth digest " + suite.Super)
	s.want("get /theirs", "d") // the superuser may
	s.want("setAcl /acl world:anyone:cdrwa")
	s.want("setAcl -R /a world:anyone:cdrwa")
}

func quota(t *testing.T, c *cli, s *session) {
	s.want("setquota -n 2 /a", "[Warning]: the count quota you create is less than the existing count:3")
	s.want("setquota -b 100 /c")
	s.want("listquota /a", "absolute path is /zookeeper/quota/a/zookeeper_limits",
		"Output quota for /a count=2,bytes=-1=;byteHardLimit=-1;countHardLimit=-1", "Output stat for /a count=3,bytes=6")
	s.want("listquota /c", "absolute path is /zookeeper/quota/c/zookeeper_limits",
		"Output quota for /c count=-1,bytes=100=;byteHardLimit=-1;countHardLimit=-1", "Output stat for /c count=1,bytes=0")
	s.want("delquota -n /a")
	s.want("delquota /a")
	s.want("delquota /a", "Quota does not exist for /a")
	s.want("listquota /a", "absolute path is /zookeeper/quota/a/zookeeper_limits", "quota for /a does not exist.")
	s.want("create /q", "Created /q")
	s.want("setquota -N 2 /q")
	s.want("create /q/1", "Created /q/1")
	s.want("setquota -B 5 /q")
	s.want("listquota /q", "absolute path is /zookeeper/quota/q/zookeeper_limits",
		"Output quota for /q count=-1,bytes=-1=;byteHardLimit=5;countHardLimit=2", "Output stat for /q count=2,bytes=0")
	s.match("setquota /q", ".*Missing required option: .*")
	s.want("create /q/2", "Quota has exceeded : /q/2")
	s.want("set /q/1 1234567", "Quota has exceeded : /q/1")
}

func counting(t *testing.T, c *cli, s *session) {
	s.want("getAllChildrenNumber /a", "2")
	s.want("getAllChildrenNumber /nosuch", "Node does not exist: /nosuch")
	got := s.do("getEphemerals")
	if !strings.Contains(got, "/e") || !strings.Contains(got, "/es-0") || strings.Contains(got, "/a") {
		t.Errorf("getEphemerals says %s", got)
	}
	s.match("getEphemerals /es", `\[/es-\d{10}\]`)
	s.want("getEphemerals /nosuch", "[]")
}

func config(t *testing.T, c *cli, s *session) {
	s.want("config") // of one server there is none
	s.match("config -c", " *")
	s.match("config -s", counts("0", "0", "-1", "0x0", "0", "0"))
	s.want("reconfig -add server.2=127.0.0.1:1:2;3", "KeeperErrorCode = Reconfig is disabled")
	s.want("reconfig -remove 1", "KeeperErrorCode = Reconfig is disabled")
	s.match("reconfig", `reconfig \[-s\] \[-v version\] .*`)
}

func history(t *testing.T, c *cli, s *session) {
	s.do("get /a/b")
	lines := strings.Split(s.do("history"), "\n")
	if len(lines) != 11 || !strings.HasSuffix(lines[8], " - get /a/b") || !strings.HasSuffix(lines[10], " - history") {
		t.Errorf("history says %q", lines)
	}
	s.want("redo 0", "Node already exists: /a") // the session's first command created it
	s.want("redo 9999", "Command index out of range")
	s.match("version", `ZooKeeper CLI version: `+strings.ReplaceAll(c.minor, ".", `\.`)+`\..*`)
}

func remove(t *testing.T, c *cli, s *session) {
	s.want("delete /a", "Node not empty: /a")
	s.want("delete -v 9 /a/b", "version No is not valid : /a/b")
	s.want("delete -v 0 /a/b")
	s.want("delete /nosuch", "Node does not exist: /nosuch")
	s.want("delete /", "Arguments are not valid : /")
	s.want("create /a/deep", "Created /a/deep")
	s.want("create /a/deep/er", "Created /a/deep/er")
	s.want("deleteall /a")
	s.want("deleteall /nosuch", "Node does not exist: /nosuch")
	for _, p := range []string{"/batch", "/batch/1", "/batch/2", "/batch/3"} {
		s.want("create "+p, "Created "+p)
	}
	s.want("deleteall -b 2 /batch")
	s.want("ls /batch", "Node does not exist: /batch")
}

func quoting(t *testing.T, c *cli, s *session) {
	s.want(`create "/quo ted" "two words"`, "Created /quo ted")
	s.want(`get "/quo ted"`, "two words")
	s.want("create /single 'it is'", "Created /single")
	s.want("get /single", "it is")
}

func unknown(t *testing.T, c *cli, s *session) {
	for _, word := range []string{"help", "ls2", "rmr"} {
		s.match(word, `ZooKeeper -server host:port .*\n\taddauth scheme auth\n.*Command not found: Command not found `+word)
	}
}

// connect is last, as it gives the session up.
func connect(t *testing.T, s *session, addr string) {
	s.t = t
	from := s.here()
	s.send("close")
	s.awaitAfter(from, "WatchedEvent state:Closed type:None path:null")
	from = s.here()
	s.send("connect " + addr)
	s.awaitAfter(from, "WatchedEvent state:SyncConnected type:None path:null")
	s.want("get /single", "it is")
	s.want("ls /e", "Node does not exist: /e") // close ended the session that owned it
	s.want("get /mine", "Insufficient permission : /mine")
	s.send("version") // the exit code is the last command's before quit, and do ends with one that fails
	s.send("quit")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("quit: %v", err)
	}
}
