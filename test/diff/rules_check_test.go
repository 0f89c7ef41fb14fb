package diff

import (
	"os"
	"strings"
	"testing"
)

// Each row of docs/compatibility.md about what is different on purpose has a rule here or a reason why no script comes
// near it, and the other way round.
func TestRulesAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(b), "## Different on purpose")
	if !ok {
		t.Fatal("docs/compatibility.md has no such section")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for l := range strings.Lines(section) {
		if strings.HasPrefix(l, "| ") && !strings.HasPrefix(l, "| what |") {
			rows = append(rows, strings.TrimPrefix(l, "| "))
		}
	}
	uses := make([]int, len(rows))
	look := func(what, beginning string) {
		for i, row := range rows {
			if strings.HasPrefix(row, beginning) {
				uses[i]++
				return
			}
		}
		t.Errorf("%s: no row of docs/compatibility.md begins with %q", what, beginning)
	}
	for _, r := range rules {
		if r.reason == "" {
			t.Errorf("rule %s has no reason", r.name)
		}
		if r.doc != "" {
			look("rule "+r.name, r.doc)
		}
	}
	for beginning, reason := range unreachable {
		look(reason, beginning)
	}
	for i, n := range uses {
		if n != 1 {
			t.Errorf("%d rules for %q", n, rows[i])
		}
	}
}

// Rules forbid what they are about, and little else.
func TestLegal(t *testing.T) {
	for _, tt := range []struct {
		script string
		broken string // the name of the rule
	}{
		{"a create ~/a\nb connect session=a pw=wrong", "wrong-password"},
		{"a create ~/a\na part\nb connect session=a pw=wrong", ""},
		{"a create ~/a\nb connect session=a\na part\nc connect session=a pw=null", "wrong-password"},
		{"a create ~/a\nb connect session=a\nb part\na part\nc connect session=a pw=null", ""},
		{"a create ~/a\nb create ~/a\na part\nc connect session=a pw=wrong", ""},
		{"a raw 20", "internal-opcodes"},
		{"a raw -10 00", "internal-opcodes"},
		{"a raw 21", ""},
		{"a ttl ~/a flags=0 ttl=-1", "ttl-kills"},
		{"a multi create ~/a ; ttl ~/a empty flags=2 ttl=-5", "ttl-kills"},
		{"a ttl ~/a flags=5 ttl=-1", ""},
		{"a & ping\na & auth world x\na flush", "auth-in-order"},
		{"a & auth digest u:p\na & whoami\na flush", "auth-in-order"},
		{"a & auth digest u:p\na & get ~\na flush", ""},
		{"b create ~/a acl=31:digest::b\na & delete ~/a\na & auth digest u:p\na flush", "auth-in-order"},
		{"b create ~/a\na & delete ~/a\na & auth digest u:p\na flush", ""},
		{"b create ~/a acl=31:digest::b\na & auth digest u:p\na & delete ~/a\na flush", ""},
		{"a auth world x", ""},
		{"a & raw 99\na flush", "auth-in-order"},
		{"a & close\na & ping\na flush", "after-close"},
		{"a & ping\na & close\na flush", ""},
		{"a create /zookeeper/quota~/a/zookeeper_limits\na multi create ~/a ; create ~/b", "quota-in-multi"},
		{"a create /zookeeper/quota~/a/zookeeper_limits\na & create ~/a\na & create ~/b\na flush", "quota-in-multi"},
		{"a & setacl ~ acl=PR\na & get ~\na flush", "setacl-in-flight"},
		{"a & get ~\na & setacl ~ acl=PR\na flush", ""},
		{"a setwatches rel=0 poke=3:80", "zxid-size"},
		{"a setwatches rel=0 poke=9:80", ""},
		{"a multi container ~/a empty flags=1 ; create ~/a/b", "container-in-flight"},
		{"a container ~/a empty flags=1", ""},
		{"a set /zookeeper/quota~/a/zookeeper_stats null", "stats-kill"},
		{"a & multi set ~ 1 ; create ~/a acl=31:ip:null\na & set ~ 2\na flush", "multi-breaks"},
		{"a & multi set ~ 1 ; create ~/a null\na & set ~ 2\na flush", ""},
		{"a & set ~ 2\na & multi set ~ 1 ; create ~/a acl=31:ip:null\na flush", ""},
		{"a create ~/a\na drop\na connect session=a", "dropped-late"},
		{"a connect at=2\nb connect session=a at=1", "two-places"},
		{"a connect at=2\na connect session=a at=1", "two-places"},
		{"a connect at=2\na connect at=3\nb connect session=a at=2", "two-places"},
		{"a connect at=2\nb connect session=a at=2\na part\na connect session=b at=1", "two-places"},
		{"a connect at=2\na part\na connect session=a at=1", ""},
		{"a connect at=2\nz outage 2 kill\na connect session=a at=1", ""},
		{"a connect at=2\nz outage leader kill\na connect session=a at=1", ""},
		{"a connect at=2\nz outage 3 kill\na connect session=a at=1", "two-places"},
		{"a connect at=2\na get /zookeeper/config", "config-node"},
		{"a get /zookeeper/config", ""},
	} {
		lines := strings.Split(tt.script, "\n")
		if legal(lines, shape{3, 1}) != (tt.broken == "") {
			t.Errorf("%q: legal is %v", tt.script, legal(lines, shape{3, 1}))
		}
		var s []line
		for _, l := range lines {
			s = append(s, parse(l))
		}
		for _, r := range rules {
			if r.breaks != nil && !r.several && r.breaks(s) != (r.name == tt.broken) {
				t.Errorf("%q: rule %s says %v", tt.script, r.name, r.breaks(s))
			}
		}
	}
	if legal([]string{"a set ~ 1 cut=4"}, shape{3, 3}) || !legal([]string{"a set ~ 1 cut=4"}, shape{3, 1}) {
		t.Error("damage is legal where ZooKeeper is one server, and not where it is several")
	}
	for _, broken := range []string{"z return", "z leave 2 kill\na connect at=2", "z leave 2 kill\nz outage all kill"} {
		if legal(strings.Split(broken, "\n"), shape{3, 1}) {
			t.Errorf("%q is legal", broken)
		}
	}
	if legal([]string{"a & ping", "b ping"}, shape{1, 1}) || legal([]string{"a & ping"}, shape{1, 1}) {
		t.Error("a batch without its flush is legal")
	}
}

func TestEven(t *testing.T) {
	got := even("a & get ~\na & auth digest u:p\na flush\na: ok z1 xid=1\na: ok 0 xid=-4\na raw 99\na: Unimplemented -1\na eof\na: closed\n")
	want := "a & get ~\na & auth digest u:p\na flush\na: ok 0 xid=-4\na: ok z1 xid=1\na raw 99\na: Unimplemented -1\na: closed\na eof\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, way := range []string{`"/c\x01/\xed\xa0\xbd\xed\xb8\x80"`, `"/c\x01/\U0001f600"`} {
		if got := even("a sync ~\na: ok z1 " + way + "\n"); got != "a sync ~\na: ok z1 /c\\x01/\U0001f600\n" {
			t.Errorf("%s became %q", way, got)
		}
	}
	got = even("b multiread get null\nb: MarshallingError z1 and bytes ffffffff01ffffffff\na sync ~\na: ok z1 \"~/\\xed\\xa0\\xbd\\xed\\xb8\\x80\"\n")
	want = "b multiread get null\nb: MarshallingError z1\na sync ~\na: ok z1 ~/\U0001f600\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
