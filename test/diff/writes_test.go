package diff

import (
	"fmt"
	"strings"
)

// create makes a request of the create family.
func (g *generator) create(p string) string {
	verb := g.pick("create", "create", "create", "create2", "container", "ttl")
	words := verb + " " + p + " " + g.data()
	if g.chance(8) {
		words = verb + " " + g.pick("~/a/", "~/s", "~/", "~/a/s") + " " + g.data() + " flags=" + g.pick("2", "3")
		if verb == "ttl" {
			words = strings.Replace(words, "flags=2", "flags=6", 1)
			words = strings.Replace(words, "flags=3", "flags=6", 1)
		}
		return words + g.acl()
	}
	if verb == "ttl" {
		return words + g.ttl() + g.acl()
	}
	switch {
	case g.chance(35):
		words += " flags=" + g.pick("1", "1", "1", "2", "3", "4")
	case g.chance(6):
		words += " flags=" + g.pick("5", "6", "7", "8", "99", "-1", "2147483647", "-2147483648")
	}
	return words + g.acl()
}

// ttl never pairs a mode that has no TTL with a negative time: ZooKeeper dies of it.
func (g *generator) ttl() string {
	if g.chance(15) {
		return " flags=" + g.pick("0", "1", "2", "3", "4", "7", "-1") + " ttl=" + g.pick("0", "1", "60000")
	}
	return " flags=" + g.pick("5", "5", "6") + " ttl=" + g.pick("60000", "60000", "1", "0", "-1", "1099511627775",
		"1099511627776", "9223372036854775807", "-9223372036854775808")
}

// acl is mostly open, so that most requests get far.
func (g *generator) acl() string {
	if g.chance(72) {
		return ""
	}
	return " acl=" + g.aclList()
}

func (g *generator) aclList() string {
	if g.chance(20) {
		return g.pick("empty", "null", "31:foo:x", "31:world:x", "31:digest:x", "31:digest:a:b:c", "31:digest:a:",
			"31:super:x", "31:null:x", "31:world:null", "31:digest:null", "31:ip:null", "31:ip:127.0.0.1/", "31:ip:1.2.3",
			"31:ip:1.2.3.4/33", "31:ip:host", "31:sasl:x", "31:x509:CN=x", "31:auth:null", "31:ip:", "31:world:",
			"31:ip:127.0.0.1/-1", "31:ip:::1", "31:ip:fe80::/10", "31:ip:127.0.0.1/0x8", "31:ip:/8")
	}
	var v []string
	for range 1 + g.n(g.n(3)+1) {
		v = append(v, g.pick("31", "31", "31", "1", "2", "4", "8", "16", "15", "5", "0", "255", "-1")+":"+g.pick(
			"world:anyone", "world:anyone", "world:anyone", "digest:@u:p", "digest:@u:p", "digest:@v:q", "auth:", "auth:x",
			"ip:127.0.0.1", "ip:10.0.0.0/8", "ip:127.0.0.0/8", "digest::b", "digest:a:b:", "ip:0.0.0.0/0"))
	}
	if g.chance(4) {
		v = append(v, g.pick("31", "31", "1")+":"+g.pick("null:x", "null:null", "digest:null", "auth:null", "foo:null", "foo:x"))
	}
	return strings.Join(v, ",")
}

// setACL leaves the nodes alone that later scripts need as they are.
func (g *generator) setACL(p string) string {
	if p == "/" || p == `""` || strings.HasPrefix(p, "/zookeeper") {
		p = "~/a"
	}
	return "setacl " + p + " acl=" + g.aclList() + g.version()
}

func (g *generator) multi() string {
	var ops []string
	for range g.n(5) {
		ops = append(ops, g.multiOp())
	}
	if g.quota && len(ops) > 1 {
		ops = ops[:1] // see the rule quota-in-multi
	}
	words := "multi " + strings.Join(ops, " ; ")
	if g.chance(2) {
		words += " noend"
	}
	return strings.TrimSpace(words)
}

func (g *generator) multiOp() string {
	p := g.path()
	switch r := g.n(100); {
	case r < 40:
		words := g.create(p)
		for ephemeralContainer.MatchString(words) { // see the rule container-in-flight
			words = g.create(p)
		}
		return words
	case r < 60:
		return "delete " + p + g.version()
	case r < 78:
		return "set " + p + " " + g.data() + g.version()
	case r < 96:
		return "check " + p + " " + g.pick("-1", "-1", "0", "0", "1", "2", "-2")
	}
	return g.pick("get "+p, "exists "+p, "children "+p, "sync "+p, "setacl "+p, "raw 99", "raw 20", "raw 0", "raw -1", "raw 14")
}

func (g *generator) multiRead() string {
	var ops []string
	for range g.n(4) {
		p := g.readable(g.path())
		op := g.pick("get", "children")
		if g.chance(4) {
			op = g.pick("exists", "children2", "getacl", "delete", "check", "set")
		}
		w := ""
		if op != "getacl" && g.chance(15) {
			w = " watch"
		}
		if op == "set" || op == "delete" || op == "check" {
			w = " 0"
		}
		ops = append(ops, op+" "+p+w)
	}
	return strings.TrimSpace("multiread " + strings.Join(ops, " ; "))
}

// limits are the data of a quota's limits node.
func (g *generator) limits() string {
	switch {
	case g.chance(10):
		return g.pick("garbage", "null", "empty", `"count=x"`, `"countHardLimit="`, `"count=1,bytes"`)
	case g.chance(15):
		return fmt.Sprintf("\"countHardLimit=%d\"", g.n(6))
	}
	return fmt.Sprintf("\"count=%d,bytes=%d=;byteHardLimit=%d;countHardLimit=%d\"", g.n(3)-1, g.n(5)-1,
		[]int{-1, -1, 0, 5, 12, 30}[g.n(6)], []int{-1, 2, 3, 4, 6}[g.n(5)])
}
