package script

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"zkd/test/wire"
)

// The verbs that send a request (op and body); the ones that drive connections are in steps_test.go.
//
//	create PATH [DATA] [flags=N] [acl=ACL] [fill=N]   also create2, container; fill pads the data to a frame of N bytes
//	ttl PATH [DATA] [flags=5] [ttl=MS]
//	delete PATH [VERSION]         check PATH VERSION
//	exists PATH [watch]           also get, children, children2
//	set PATH DATA [VERSION]       setacl PATH acl=ACL [VERSION]
//	getacl, sync, ephemerals, count PATH              (count is getAllChildrenNumber)
//	addwatch PATH MODE            checkwatches, removewatches PATH TYPE
//	setwatches rel=MARK [data=P,P] [exist=…] [child=…]    setwatches2 also [persistent=…] [recursive=…]
//	multi OP ; OP …               multiread OP ; OP …     [noend]
//	auth SCHEME DATA              sasl TOKEN              whoami, ping, close
//	reconfig JOINING LEAVING MEMBERS CONFIGID
//	raw OP [HEX]                  any opcode, any body
//
// Every one takes xid=N, junk=N (bytes behind the record), poke=OFFSET:HEX (bytes of the record to overwrite) and
// cut=N (bytes to leave out at its end). DATA, PATH and lists may be null; DATA may be empty.
// A double quote opens a Go string literal, so that paths can hold anything.

// token is one word of a script line.
type token struct {
	text   string
	quoted bool
}

// split cuts a line into words. A quoted part may begin anywhere inside a word.
func split(line string) ([]token, error) {
	var toks []token
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return toks, nil
		}
		var t token
		for line != "" && line[0] != ' ' && line[0] != '\t' {
			if line[0] != '"' {
				t.text += line[:1]
				line = line[1:]
				continue
			}
			q, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, fmt.Errorf("bad string in %q", line)
			}
			s, _ := strconv.Unquote(q)
			t.text, t.quoted, line = t.text+s, true, line[len(q):]
		}
		toks = append(toks, t)
	}
}

// args are a request's words, sorted into positional ones and options.
type args struct {
	root string // what ~ stands for
	all  []token
	pos  []token
	opt  map[string]token
	err  error
}

var optionNames = map[string]bool{
	"acl": true, "flags": true, "ttl": true, "fill": true, "xid": true, "junk": true, "rel": true, "data": true,
	"exist": true, "child": true, "persistent": true, "recursive": true, "timeout": true, "session": true, "pw": true,
	"zxid": true, "ro": true, "proto": true, "extra": true, "after": true, "from": true, "to": true, "cut": true, "poke": true,
	"at": true, "only": true,
}

func newArgs(root string, toks []token) *args {
	a := &args{root: root, all: toks, opt: map[string]token{}}
	for _, t := range toks {
		if k, v, ok := strings.Cut(t.text, "="); ok && optionNames[k] {
			a.opt[k] = token{v, t.quoted}
			continue
		}
		switch t.text {
		case "watch", "sorted", "noend", "slow", "keys":
			a.opt[t.text] = token{}
			continue
		}
		a.pos = append(a.pos, t)
	}
	return a
}

func (a *args) has(name string) bool { _, ok := a.opt[name]; return ok }

func (a *args) fail(format string, v ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, v...)
	}
}

func (a *args) tok(i int) token {
	if i >= len(a.pos) {
		a.fail("argument %d is missing", i+1)
		return token{}
	}
	return a.pos[i]
}

// path is a positional argument with ~ filled in.
func (a *args) path(i int) string { return a.toPath(a.tok(i)) }

func (a *args) toPath(t token) string {
	if t.text == "null" && !t.quoted {
		return wire.Null
	}
	return strings.ReplaceAll(t.text, "~", a.root)
}

func (a *args) bytes(i int) []byte {
	if i >= len(a.pos) {
		return []byte{}
	}
	t := a.pos[i]
	switch {
	case t.quoted:
		return []byte(t.text)
	case t.text == "null":
		return nil
	case t.text == "empty":
		return []byte{}
	}
	return []byte(t.text)
}

func (a *args) num(i int, missing int64) int64 {
	if i >= len(a.pos) {
		return missing
	}
	return a.toNum(a.pos[i].text)
}

func (a *args) optNum(name string, missing int64) int64 {
	t, ok := a.opt[name]
	if !ok {
		return missing
	}
	return a.toNum(t.text)
}

func (a *args) toNum(s string) int64 {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		a.fail("%q is not a number", s)
	}
	return n
}

// list is an option holding paths; without the option it is an empty vector, not a null one.
func (a *args) list(name string) []string {
	t, ok := a.opt[name]
	switch {
	case !ok || t.text == "":
		return []string{}
	case t.text == "null":
		return nil
	}
	var v []string
	for p := range strings.SplitSeq(t.text, ",") {
		v = append(v, a.toPath(token{p, t.quoted}))
	}
	return v
}

// protected is the list written PR in scripts: everything to digest u:p, nothing to anyone else.
const protected = "31:digest:@u:p"

// acl reads PERMS:SCHEME:ID,…; @user:password as a digest id stands for its hashed form. Without the option the
// list is open.
func (a *args) acl() []wire.ACL {
	t, ok := a.opt["acl"]
	if !ok {
		return wire.OpenACL
	}
	switch t.text {
	case "null":
		return nil
	case "empty":
		return []wire.ACL{}
	case "PR":
		t.text = protected
	}
	var v []wire.ACL
	for e := range strings.SplitSeq(t.text, ",") {
		parts := strings.SplitN(e, ":", 3)
		if len(parts) != 3 {
			a.fail("acl entry %q", e)
			return nil
		}
		for i, p := range parts {
			if p == "null" {
				parts[i] = wire.Null
			}
		}
		if user, ok := strings.CutPrefix(parts[2], "@"); ok {
			parts[2] = DigestID(user)
		}
		v = append(v, wire.ACL{Perms: int32(a.toNum(parts[0])), Scheme: parts[1], ID: parts[2]})
	}
	return v
}

// DigestID is the id that digest authentication makes of user:password.
func DigestID(userPassword string) string {
	user, _, _ := strings.Cut(userPassword, ":")
	sum := sha1.Sum([]byte(userPassword))
	return user + ":" + base64.StdEncoding.EncodeToString(sum[:])
}

// request turns a verb and its arguments into an op and a body. ok is false when the verb sends no request.
func (a *args) request(verb string, mark func(string) int64) (op wire.Op, body wire.Body, ok bool) {
	switch verb {
	case "create", "create2", "container", "ttl":
		op, body = a.create(verb)
	case "delete":
		op, body = wire.OpDelete, wire.PathVersion{Path: a.path(0), Version: int32(a.num(1, -1))}
	case "check":
		op, body = wire.OpCheck, wire.PathVersion{Path: a.path(0), Version: int32(a.num(1, -1))}
	case "exists", "get", "children", "children2":
		op = map[string]wire.Op{"exists": wire.OpExists, "get": wire.OpGetData, "children": wire.OpGetChildren,
			"children2": wire.OpGetChildren2}[verb]
		body = wire.PathWatch{Path: a.path(0), Watch: a.has("watch")}
	case "set":
		op, body = wire.OpSetData, wire.SetData{Path: a.path(0), Data: a.bytes(1), Version: int32(a.num(2, -1))}
	case "setacl":
		op, body = wire.OpSetACL, wire.SetACL{Path: a.path(0), ACL: a.acl(), Version: int32(a.num(1, -1))}
	case "getacl", "sync", "ephemerals", "count":
		op = map[string]wire.Op{"getacl": wire.OpGetACL, "sync": wire.OpSync, "ephemerals": wire.OpGetEphemerals,
			"count": wire.OpAllChildrenNumber}[verb]
		body = wire.Path(a.path(0))
	case "addwatch", "checkwatches", "removewatches":
		op = map[string]wire.Op{"addwatch": wire.OpAddWatch, "checkwatches": wire.OpCheckWatches,
			"removewatches": wire.OpRemoveWatches}[verb]
		body = wire.PathType{Path: a.path(0), Type: int32(a.num(1, 0))}
	case "setwatches", "setwatches2":
		op, body = a.setWatches(verb, mark)
	case "multi", "multiread":
		op, body = a.multi(verb, mark)
	case "auth":
		op, body = wire.OpAuth, wire.Auth{Scheme: a.path(0), Data: a.bytes(1)}
	case "sasl":
		op, body = wire.OpSASL, wire.Token(a.bytes(0))
	case "reconfig":
		op, body = wire.OpReconfig, wire.Reconfig{Joining: a.path(0), Leaving: a.path(1), Members: a.path(2),
			ConfigID: a.num(3, -1)}
	case "whoami":
		op = wire.OpWhoAmI
	case "ping":
		op = wire.OpPing
	case "close":
		op = wire.OpClose
	case "raw":
		op = wire.Op(a.num(0, 0))
		if len(a.pos) > 1 {
			body = wire.Raw(a.hex(1))
		}
	default:
		return 0, nil, false
	}
	return op, body, true
}

// hex reads bytes; parts in blanks and Nx00 for N zero bytes are allowed, so that frames stay readable.
func (a *args) hex(from int) []byte {
	var b []byte
	for _, t := range a.pos[from:] {
		if t.quoted {
			b = append(b, t.text...)
			continue
		}
		s, times := t.text, 1
		if n, rest, ok := strings.Cut(s, "x"); ok {
			times, s = int(a.toNum(n)), rest
		}
		v, err := hex.DecodeString(s)
		if err != nil {
			a.fail("%q is not hex", t.text)
		}
		for range times {
			b = append(b, v...)
		}
	}
	return b
}

func (a *args) create(verb string) (wire.Op, wire.Body) {
	c := wire.Create{Path: a.path(0), Data: a.bytes(1), ACL: a.acl()}
	if n := int(a.optNum("fill", 0)); n > 0 {
		c.Data = []byte{}
		c.Data = make([]byte, n-len(wire.Payload(0, wire.OpCreate, c)))
	}
	switch verb {
	case "create2":
		c.Flags = int32(a.optNum("flags", 0))
		return wire.OpCreate2, c
	case "container":
		c.Flags = int32(a.optNum("flags", 4))
		return wire.OpCreateContainer, c
	case "ttl":
		c.Flags = int32(a.optNum("flags", 5))
		return wire.OpCreateTTL, wire.CreateTTL{Create: c, TTL: a.optNum("ttl", 60000)}
	}
	c.Flags = int32(a.optNum("flags", 0))
	return wire.OpCreate, c
}

func (a *args) setWatches(verb string, mark func(string) int64) (wire.Op, wire.Body) {
	s := wire.SetWatches{Data: a.list("data"), Exist: a.list("exist"), Child: a.list("child")}
	s.Relative = mark(a.opt["rel"].text)
	if verb == "setwatches" {
		return wire.OpSetWatches, s
	}
	return wire.OpSetWatches2, wire.SetWatches2{SetWatches: s, Persistent: a.list("persistent"), Recursive: a.list("recursive")}
}

// wholeFrame reports whether an option changes a frame rather than a record in it.
func wholeFrame(option string) bool {
	name, _, ok := strings.Cut(option, "=")
	return ok && (name == "xid" || name == "junk" || name == "poke" || name == "cut")
}

// damage applies junk, poke and cut to a request's payload. A poke behind the end and a cut beyond the record change
// what they can: the header always stays whole.
func (a *args) damage(payload []byte) []byte {
	const header = 8
	payload = append(payload, make([]byte, a.optNum("junk", 0))...)
	if t, ok := a.opt["poke"]; ok {
		at, hexed, _ := strings.Cut(t.text, ":")
		b, err := hex.DecodeString(hexed)
		if err != nil {
			a.fail("poke: %v", err)
		}
		if from := header + int(a.toNum(at)); from < len(payload) {
			copy(payload[from:], b)
		}
	}
	cut := min(int(a.optNum("cut", 0)), len(payload)-header)
	return payload[:len(payload)-cut]
}

func (a *args) multi(verb string, mark func(string) int64) (wire.Op, wire.Body) {
	m := wire.Multi{NoEnd: a.has("noend")}
	var one []token
	add := func() {
		if len(one) == 0 {
			return
		}
		sub := newArgs(a.root, one[1:])
		op, body, ok := sub.request(one[0].text, mark)
		if !ok {
			a.fail("no operation %q", one[0].text)
		}
		if sub.err != nil {
			a.fail("%w", sub.err)
		}
		m.Ops = append(m.Ops, wire.SubOp{Op: op, Body: body})
		one = nil
	}
	for _, t := range a.all {
		if t.text == "noend" || wholeFrame(t.text) {
			continue // these belong to the multi as a whole
		}
		if t.text == ";" && !t.quoted {
			add()
			continue
		}
		one = append(one, t)
	}
	add()
	if verb == "multiread" {
		return wire.OpMultiRead, m
	}
	return wire.OpMulti, m
}
