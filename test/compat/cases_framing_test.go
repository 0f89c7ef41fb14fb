package compat

import (
	"fmt"
	"strings"
)

var framingCases = []Case{
	{ID: "P31", Name: "xids below 1 are echoed", Script: `
		c get ~ xid=-55
		c get ~ xid=0
		c get ~ xid=-2`},
	{ID: "P31b", Name: "an xid may repeat", Script: `
		c & get ~ xid=5
		c & exists ~ xid=5
		c & children ~ xid=4
		c flush`},
	{ID: "P32", Name: "unknown opcodes are answered and close the connection", Script: perOp("c%d raw %d", "c%d eof",
		0, 10, 23, 99, 108, -1, -2, 1000, 2147483647)},
	{ID: "P32b", Name: "an unknown opcode closes the connection, not the session", Script: `
		c raw 99
		c eof
		d connect session=c
		d get ~`},
	{ID: "P33", Name: "check is for multis only", Since: "3.9", Script: `
		c check ~ 0
		c eof
		d connect session=c
		d alive`},
	{ID: "P34", Name: "deleteContainer is not for clients", Since: "3.9", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c raw 20 "\x00\x00\x00\x01/"
		c alive`,
		Differs: &Difference{
			Reason: "deleteContainer (20) belongs to the server itself; from a client it would delete without looking at ACLs",
			Want: `
		a auth digest u:p
			a: ok 0 xid=-4
		a create ~/p acl=PR
			a: ok z1 ~/p
		c raw 20 "\x00\x00\x00\x01/"
			c: Unimplemented -1
		c alive
			c: closed`}},
	{ID: "P35", Name: "createSession is not for clients", Since: "3.9", Script: `
		c get ~
		c frame 00000005 fffffff6 00002710
		c size
		c alive`,
		Differs: &Difference{
			Reason: "createSession (-10) inside a session would answer with a frame no client can read",
			Want: `
		c get ~
			c: ok "" {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=0 owner=0 len=0 children=0}
		c frame 00000005 fffffff6 00002710
		c size
			c: frame of 16 bytes
		c alive
			c: closed`}},
	{ID: "P36", Name: "an empty body is an error of that request alone", Script: perOp("c raw %[2]d", "c alive",
		1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 16, 17, 18, 19, 21, 22, 101, 103, 104, 105, 106)},
	{ID: "P36a", Name: "auth and sasl without a body close the connection", Script: `
		c raw 100
		c eof
		d raw 102
		d eof`},
	{ID: "P36b", Name: "a body that is cut short is an error of that request alone", Script: `
		c raw 1 00000002 2f61 00000001 78
		c raw 1 00000002 2f61 00000001 78 00000001 0000001f
		c raw 5 00000002 2f61 00000001 78
		c raw 4 00000002 2f
		c raw 4 00000002 2f61
		c raw 7 00000002 2f61 00000001
		c alive`},
	{ID: "P36c", Name: "lengths that no body can have are an error of that request alone", Script: `
		c raw 4 7fffffff 2f
		c raw 4 80000000 2f
		c raw 4 fffffffe 2f
		c raw 1 00000002 2f61 7fffffff
		c raw 1 00000002 2f61 00000001 78 7fffffff
		c raw 101 8x00 7fffffff
		c alive`},
	{ID: "P36d", Name: "a vector with a negative count is empty", Script: `
		c raw 101 8x00 fffffffe fffffffe fffffffe
		c alive`},
	{ID: "P37", Name: "whoAmI needs no body", Script: `
		c raw 107`},
	{ID: "P38", Name: "a frame shorter than a header closes the connection", Script: `
		c get ~
		c bytes 00000002 0000
		c eof
		d get ~
		d bytes 00000007 7x00
		d eof
		e connect session=c
		e get ~`},
	{ID: "P39", Name: "an empty frame closes the connection", Script: `
		c get ~
		c bytes 00000000
		c eof
		d connect session=c
		d get ~`},
	{ID: "P39b", Name: "a negative length closes the connection", Script: `
		c get ~
		c bytes fffffff0
		c eof
		d connect session=c
		d get ~`},
	{ID: "P40", Name: "a length above the limit closes the connection, not the session", Script: `
		c create ~/e flags=1
		c bytes 00100000
		c eof
		d connect session=c
		d exists ~/e`},
	{ID: "P41", Name: "a frame of exactly the limit is taken", Script: `
		c create ~/big fill=1048575
		c exists ~/big
		c get ~/big
		c delete ~/big`},
	{ID: "P41b", Name: "a frame one byte above the limit is not", Script: `
		c create ~/big fill=1048576
		d exists ~/big`},
	{ID: "P42", Name: "null data stays null", Script: `
		c create ~/n null
		c get ~/n`},
	{ID: "P43", Name: "empty data stays empty", Script: `
		c create ~/n empty
		c get ~/n`},
	{ID: "P43b", Name: "any bytes are data", Script: `
		c create ~/n "\x00\xff\xfe\n\x80"
		c get ~/n`},
	{ID: "P44", Name: "getData with a null path", Script: `
		c get null
		c alive`},
	{ID: "P45", Name: "create with a null path", Script: `
		c create null
		c create2 null
		c container null
		c ttl null
		c alive`},
	{ID: "P46", Name: "setData with a null path", Script: `
		c set null x`},
	{ID: "P47", Name: "exists with a null path", Script: `
		c exists null`},
	{ID: "P47b", Name: "other requests with a null path", Script: `
		c delete null
		c setacl null
		c getacl null
		c children null
		c children2 null
		c count null
		c alive`},
	{ID: "P47c", Name: "watch requests with a null path", Since: "3.9", Script: `
		c exists null watch
		c addwatch null 0
		c checkwatches null 3
		c removewatches null 3
		c alive`},
	{ID: "P48", Name: "sync with a null path", Script: `
		c sync null`},
	{ID: "P49", Name: "setWatches with null vectors", Script: `
		c setwatches rel=0 data=null exist=null child=null
		c setwatches rel=0 data=null
		c setwatches2 rel=0 persistent=null
		c alive`},
	{ID: "P50", Name: "an ACL entry without a scheme", Script: `
		c create ~/n acl=31:null:x
		c setacl ~ acl=31:null:x`},
	{ID: "P51", Name: "an ACL entry world without an id", Script: `
		c create ~/n acl=31:world:null
		c alive`},
	{ID: "P51b", Name: "ACL entries of other schemes without an id", Script: `
		c create ~/n acl=31:digest:null
		c create ~/n acl=31:ip:null
		c create ~/n acl=31:auth:null
		c alive`},
	{ID: "P52", Name: "a path that is not UTF-8", Script: `
		c create "~/a\xff"
		c exists "~/a\xff"
		c create "~/\xc0\x80"`},
	{ID: "P105", Name: "closeSession is answered with its zxid and closes", Script: `
		c create ~/x
		c close
		c eof
		w create ~/y`},
	{ID: "P106", Name: "nothing is served behind closeSession", Either: [2]string{"c: closed", "c: SessionExpired"}, Script: `
		c & close
		c & get ~
		c flush`},
	{ID: "P106b", Name: "what stands before closeSession is answered", Script: `
		c & create ~/x
		c & get ~/x
		c & close
		c flush
		c eof`},
	{ID: "P107", Name: "pipelined requests are answered in order, each with its zxid", Alone: true, Script: `
		c create ~/x
		c & set ~/x 1
		c & set ~/x 2
		c & set ~/x 3
		c & get ~/x
		c & sync ~/x
		c & ping
		c & delete ~/none
		c & exists ~/x
		c flush`},
	{ID: "P107b", Name: "many pipelined writes are answered in order", Script: manyWrites(30)},
	{ID: "P107c", Name: "the zxids of failing requests", Alone: true, Script: `
		c create ~/x
		c create ~/x
		c get ~
		c create ~/y acl=empty
		c get ~
		c set ~/x 1 9
		c get ~
		c delete ~/none
		c get ~
		c setacl ~/x 9
		c get ~
		c multi create ~/x
		c get ~
		c multi
		c get ~
		c get ~/none
		c children ~/none
		c removewatches ~/none 1
		c whoami
		c sync ~/none
		c auth digest u:p`},
	{ID: "P107d", Name: "the zxids of requests that cannot be decoded", Since: "3.9", Alone: true, Script: `
		c create ~/x
		c raw 1
		c get ~
		c raw 2
		c get ~
		c raw 5
		c get ~
		c raw 4
		c get ~`},
	{ID: "P108", Name: "children of a leaf are an empty list, not null", Script: `
		c children ~
		c children2 ~`},
	{ID: "P109", Name: "bytes behind a request are ignored", Script: `
		c create ~/x "1" junk=100
		c get ~/x junk=100
		c set ~/x "2" junk=1
		c ping junk=5
		c exists ~/x`},
	{ID: "P110b", Name: "several frames in pieces", Script: `
		c get ~
		c bytes 00000008 0000
		c silent 50
		c bytes 0007 0000006b 00000008 00
		c size
		c bytes 000008 0000006b
		c size`},
	{ID: "P111", Name: "auth among pipelined requests", Script: `
		c & create ~/1
		c & create ~/2
		c & create ~/3
		c & auth digest u:p
		c & create ~/4 acl=31:auth:
		c flush`,
		Differs: &Difference{
			NoReal: "where its auth reply comes among the others is a matter of luck",
			Reason: "the reply to an auth packet comes in request order: clients that match replies by order stay in step",
			Want: `
		c & create ~/1
		c & create ~/2
		c & create ~/3
		c & auth digest u:p
		c & create ~/4 acl=31:auth:
		c flush
			c: ok z1 xid=1 ~/1
			c: ok z2 xid=2 ~/2
			c: ok z3 xid=3 ~/3
			c: ok 0 xid=-4
			c: ok z4 ~/4`}},
	{ID: "P31c", Name: "requests under the xids that mean something else", Script: `
		c exists ~/none xid=-1
		c get ~ xid=-4
		c get ~ xid=-8
		c create ~/x xid=-2
		c close xid=-7
		c eof`},
	{ID: "framing-long-name", Name: "a name of ten thousand characters", Script: `
		c create ~/` + strings.Repeat("0123456789", 1000) + ` "x"
		c children2 ~
		c count ~`},
	{ID: "framing-mixed", Name: "every kind of request in one segment", Since: "3.9", Alone: true, Script: `
		c create ~/x "0"
		c & exists ~/x
		c & set ~/x "1"
		c & getacl ~/x
		c & setacl ~/x
		c & children ~
		c & children2 ~
		c & multi check ~/x 1 ; set ~/x "2"
		c & multiread get ~/x ; children ~
		c & create2 ~/y "y"
		c & container ~/z
		c & addwatch ~/none 0
		c & checkwatches ~/none 4
		c & removewatches ~/none 4
		c & setwatches rel=now exist=~/none
		c & ephemerals /
		c & count ~
		c & whoami
		c & sync ~
		c & ping
		c & delete ~/y
		c & get ~/none
		c flush`},
	{ID: "framing-error-then-fine", Name: "a request that cannot be decoded in a pipeline", Script: `
		c & create ~/x
		c & raw 1 00000002 2f61
		c & raw 4
		c & set ~/x "1"
		c & raw 14
		c & get ~/x
		c flush`},
	{ID: "framing-close-in-middle", Name: "an unknown opcode behind others lets those be answered", Script: `
		c & create ~/x
		c & get ~/x
		c & raw 99
		c flush
		c eof
		w exists ~/x`,
		Differs: &Difference{
			NoReal: "its refusal may come before the answers to earlier requests, or instead of them",
			Reason: "an unknown opcode is refused in request order, so a client learns what became of its earlier requests",
			Want: `
		c & create ~/x
		c & get ~/x
		c & raw 99
		c flush
			c: ok z1 xid=1 ~/x
			c: ok xid=2 "" {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=0 owner=0 len=0 children=0}
			c: Unimplemented -1
		c eof
			c: closed
		w exists ~/x
			w: ok {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=0 owner=0 len=0 children=0}`}},
}

// perOp repeats two script lines for each opcode; %d (or %[2]d) is the opcode, in a session name its position.
func perOp(ask, then string, ops ...int) string {
	var b strings.Builder
	for i, op := range ops {
		fmt.Fprintf(&b, ask+"\n", i, op)
		if strings.Contains(then, "%") {
			fmt.Fprintf(&b, then+"\n", i)
		}
	}
	if !strings.Contains(then, "%") {
		b.WriteString(then + "\n")
	}
	return b.String()
}

func manyWrites(n int) string {
	var b strings.Builder
	b.WriteString("c create ~/x\n")
	for i := range n {
		fmt.Fprintf(&b, "c & set ~/x %d\n", i)
	}
	b.WriteString("c & get ~/x\nc flush\n")
	return b.String()
}
