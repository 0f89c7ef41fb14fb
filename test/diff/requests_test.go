package diff

import (
	"fmt"
	"strconv"
	"strings"
)

// request makes one request's words. alone says that it is a step by itself: then it may be one that closes the
// connection.
func (g *generator) request(s string, alone bool) string {
	r := g.plainRequest(s, alone)
	if g.chance(4) && !strings.HasPrefix(r, "ping") {
		r += " xid=" + g.pick("0", "-2", "-4", "-8", "-55", "2147483647", "1")
	}
	if g.chance(3) {
		r += " junk=" + g.pick("1", "4", "100")
	}
	if !g.damages(r) {
		return r
	}
	if g.chance(60) {
		r += fmt.Sprintf(" poke=%d:%s", g.offset(r), g.pick("00", "ff", "7f", "80", "01", "ffffffff", "00000000",
			"80000000", "7fffffff", "00000001", "0000", "2f", "2f2f", "c080", fmt.Sprintf("%02x", g.n(256))))
	} else {
		r += fmt.Sprintf(" cut=%d", 1+g.n(14))
	}
	return r
}

// damages decides whether a request is sent damaged. Auth and sasl close the connection then, and have their turn
// elsewhere.
func (g *generator) damages(r string) bool {
	verb, _, _ := strings.Cut(r, " ")
	switch verb {
	case "auth", "sasl", "ping", "close", "whoami", "raw":
		return false
	}
	return g.chance(7)
}

// offset is where a poke goes: anywhere in the usual length of a record, but inside the path of a createTTL, because
// a negative time there can kill ZooKeeper for good.
func (g *generator) offset(r string) int {
	if strings.HasPrefix(r, "ttl") || strings.Contains(r, "; ttl") || strings.HasPrefix(r, "multi ttl") {
		return g.n(20)
	}
	if strings.HasPrefix(r, "setwatches") {
		return 8 + g.n(60) // see the rule zxid-size
	}
	return g.n(g.n(90) + 1)
}

func (g *generator) plainRequest(s string, alone bool) string {
	p := g.path()
	switch r := g.n(1000); {
	case r < 200:
		return g.create(p)
	case r < 270:
		return "delete " + p + g.version()
	case r < 350:
		return "set " + p + " " + g.data() + g.version()
	case r < 400:
		return g.setACL(p)
	case r < 520:
		return g.pick("exists", "get", "get", "children", "children2") + " " + g.readable(p) + g.watch()
	case r < 545:
		return "getacl " + p + " sorted"
	case r < 570:
		return "sync " + p
	case r < 590:
		return "ephemerals " + g.pick("/", "null", `""`, `" "`, "~", "~/a", p)
	case r < 605:
		return "count " + p
	case r < 700:
		return g.multi()
	case r < 740:
		return g.multiRead()
	case r < 790:
		return "addwatch " + p + " " + g.pick("0", "0", "1", "1", "1", "2", "-1")
	case r < 820:
		return g.pick("checkwatches", "removewatches") + " " + p + " " + g.watcherType()
	case r < 850:
		return g.setWatches()
	case r < 890:
		return g.auth(alone)
	case r < 900:
		if !alone {
			return "ping"
		}
		return "whoami"
	case r < 910:
		return "ping"
	case r < 915 && alone:
		return "sasl " + g.data()
	case r < 925:
		return fmt.Sprintf("reconfig %s %s %s %s", g.pick("null", `""`, "server.1=x"), g.pick("null", "1", "x"),
			g.pick("null", "null", "server.1=a:1:2"), g.pick("-1", "0", "7"))
	case r < 950:
		return g.rawBody()
	case r < 970:
		return "exists " + p + " watch"
	default:
		return "children " + g.readable(p) + " watch"
	}
}

// common are the paths that most requests are about, few enough that they collide often.
var common = []string{"~", "~/a", "~/a", "~/a", "~/b", "~/b", "~/c", "~/a/a", "~/a/a", "~/a/b", "~/b/a", "~/a/a/a",
	"~/a/0000000001", "~/a/0000000002", "~/s0000000001"}

// odd are paths no client library sends, or that every path rule looks at.
var odd = []string{wordNull, "", " ", "~/", "~//", "~//a", "~/a//b", "~/a/", "~/.", "~/..", "~/a/.", "~/a/..", "~/...",
	"~/a/../b", "~/a\x00", "\x00", "~/a\x01", "~/a\x1f", "~/a\x7f", "~/a\u009f", "~/a\u00a0", "~/\u00e9", "~/\ue000",
	"~/\uf8ff", "~/\uf900", "~/\uffef", "~/\ufff0", "~/\ufffd", "~/\U0001f600", "~/a\xff", "~/\xc0\x80",
	"~/\xed\xa0\x80", "~/\xe2\x82", "~a", "~a/b", "foo", "foo/bar", "a/", "//", "/", "/zookeeper", "/zookeeper/config",
	"/zookeeper/quota", "/zookeeper/config/x", "/zookeeper/none/x", "~/none/x", "~/none", "~/a b", "~/a,b", "~/s-", "~/s"}

// wordNull stands for the null path among the quoted ones.
const wordNull = "\x00null"

func (g *generator) path() string {
	if g.quota && g.chance(3) {
		return g.pick("/zookeeper/quota~/a", "/zookeeper/quota~", "/zookeeper/quota~/a/zookeeper_limits")
	}
	if g.chance(90) {
		return common[g.n(len(common))]
	}
	p := odd[g.n(len(odd))]
	if g.plan.shape.spread() && strings.HasPrefix(p, configNode) {
		p = "~" // see the rule config-node
	}
	return word(p)
}

// word writes a path as it stands in a script.
func word(p string) string {
	if p == wordNull {
		return "null"
	}
	if p != "" && !strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r > '~' || r == ',' || r == ';' }) {
		return p
	}
	return strconv.QuoteToASCII(p)
}

// readable keeps lists of children from the root of everything, which holds whatever earlier scripts left.
func (g *generator) readable(p string) string {
	if p == "/" || p == `""` || strings.HasPrefix(p, "/zookeeper/quota") {
		return "~"
	}
	return p
}

func (g *generator) version() string {
	if g.chance(55) {
		return ""
	}
	return " " + g.pick("-1", "0", "0", "1", "1", "2", "3", "-2", "2147483647", "-2147483648")
}

func (g *generator) watch() string {
	if g.chance(45) {
		return " watch"
	}
	return ""
}

func (g *generator) data() string {
	return g.pick("empty", "null", `"1"`, `"22"`, `"0123456789"`, `"\x00\xff"`, `"count=1"`)
}

// blob is bytes without meaning.
func (g *generator) blob() string {
	var b strings.Builder
	for range g.n(24) {
		fmt.Fprintf(&b, "%02x", []int{0, 0, 0, 0, 1, 2, 0x2f, 0x61, 0xff, 0x7f, 0x80, g.n(256)}[g.n(12)])
	}
	return b.String()
}

func (g *generator) rawBody() string {
	op := g.pick("1", "2", "3", "4", "5", "6", "7", "8", "9", "11", "12", "14", "15", "16", "17", "18", "19", "21", "22",
		"103", "104", "106", "107")
	return strings.TrimSpace("raw " + op + " " + g.blob())
}

func (g *generator) watcherType() string {
	if g.plan.old {
		return g.pick("1", "2", "3", "0", "9")
	}
	return g.pick("1", "2", "3", "4", "5", "0", "9", "-1")
}

func (g *generator) setWatches() string {
	list := func(name string) string {
		switch {
		case g.chance(3):
			return " " + name + "=null"
		case g.chance(50):
			return ""
		}
		var v []string
		for range 1 + g.n(3) {
			v = append(v, common[g.n(len(common))])
		}
		if g.chance(4) {
			v[g.n(len(v))] = "null"
		}
		if g.chance(5) {
			return fmt.Sprintf(` %s=%s`, name, strconv.QuoteToASCII(g.pick("~/", "", "foo", "~/a\x00")))
		}
		return " " + name + "=" + strings.Join(v, ",")
	}
	rel := g.pick(append([]string{"0", "now", "big"}, g.marks...)...)
	s := "setwatches"
	if g.chance(50) {
		s = "setwatches2"
	}
	words := s + " rel=" + rel + list("data") + list("exist") + list("child")
	if s == "setwatches2" {
		words += list("persistent") + list("recursive")
	}
	return words
}

func (g *generator) auth(alone bool) string {
	if alone && g.chance(25) {
		return "auth " + g.pick("world", "super", "auth", "sasl", "x509", "foo", "null", `""`) + " " + g.data()
	}
	if alone && g.chance(5) {
		return "auth digest null"
	}
	return "auth " + g.pick("digest u:p", "digest u:p", "digest u:p", "digest v:q", "digest v:q", "digest super:secret",
		`digest ""`, "digest nocolon", "digest :x", "ip x", "digest u:wrong")
}
