package compat

var handshakeCases = []Case{
	{ID: "P1", Name: "a new session with the read-only byte", Script: `
		c connect timeout=10000 ro=0
		c get ~`},
	{ID: "P2", Name: "without the read-only byte the answer has none either", Script: `
		c connect timeout=10000 ro=none
		c get ~`},
	{ID: "P3", Name: "short, zero and negative timeouts become the minimum", Script: `
		c1 connect timeout=1
		c2 connect timeout=0
		c3 connect timeout=-5
		c4 connect timeout=1999`},
	{ID: "P4", Name: "timeouts within the limits are granted as asked", Script: `
		c1 connect timeout=2000
		c2 connect timeout=15000`},
	{ID: "P5", Name: "a long timeout becomes the maximum", Script: `
		c connect timeout=100000`},
	{ID: "P6", Name: "the password of a new session does not matter", Script: `
		c1 connect pw=null
		c2 connect pw=empty
		c3 connect pw=3
		c4 connect pw=40`},
	{ID: "P7", Name: "the protocol version does not matter", Script: `
		c connect proto=99
		c alive`},
	{ID: "P8", Name: "bytes behind the handshake are ignored", Script: `
		c connect extra=4
		c alive`},
	{ID: "P9", Name: "a handshake that is cut short closes the connection", Script: `
		c dial
		c frame 10x00
		c text`},
	{ID: "P9b", Name: "a handshake whose password ends before its length closes the connection", Script: `
		c dial
		c frame 00000000 8x00 00002710 8x00 00000010 8x00
		c text`},
	{ID: "P10", Name: "an empty first frame closes the connection", Script: `
		c dial
		c bytes 00000000
		c text`},
	{ID: "P11", Name: "a negative first length closes the connection", Script: `
		c dial
		c bytes ffffffff
		c text`},
	{ID: "P12", Name: "a first length above the limit closes the connection", Script: `
		c dial
		c bytes 00100000
		c text`},
	{ID: "P13", Name: "a first length at the limit makes the server wait for the body", Script: `
		c dial
		c bytes 000fffff
		c silent 400`},
	{ID: "P14", Name: "a handshake byte by byte", Script: `
		c connect slow
		c alive`},
	{ID: "P15", Name: "handshake and request in one segment", Script: `
		c & connect
		c & get ~
		c flush`},
	{ID: "P15b", Name: "handshake, auth and requests in one segment", Script: `
		c & connect
		c & auth digest u:p
		c flush
		c & create ~/x "1" acl=PR
		c & get ~/x
		c flush`},
	{ID: "P16", Name: "an unknown session is refused", Script: `
		c connect session=0x1234
		c eof`},
	{ID: "P17", Name: "re-attaching closes the session's older connection", Script: `
		c create ~/e flags=1
		d connect session=c
		c eof
		d exists ~/e
		d delete ~/e`},
	{ID: "P17b", Name: "re-attaching may change the timeout either way", Script: `
		c connect timeout=5000
		d connect session=c timeout=9000
		e connect session=c timeout=1
		f connect session=c timeout=90000`},
	{ID: "P17c", Name: "re-attaching without the read-only byte", Script: `
		c create ~/e flags=1
		d connect session=c ro=none
		d exists ~/e`},
	{ID: "P18", Name: "a wrong password is refused, and the right one works later", Script: `
		c create ~/e flags=1
		d connect session=c pw=wrong
		d eof
		c alive
		f connect session=c
		f exists ~/e`,
		Differs: &Difference{
			Reason: "a wrong password does not cut the session's existing connection: nobody can disturb a session by knowing its id",
			Want: `
		c create ~/e flags=1
			c: ok z1 ~/e
		d connect session=c pw=wrong
			d: connected timeout=0 session=0 password=zeros readonly=false payload=37
		d eof
			d: closed
		c alive
			c: alive
		f connect session=c
			f: connected timeout=20000 session=c password=same readonly=false payload=37
		f exists ~/e
			f: ok {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=0 owner=c len=0 children=0}`}},
	{ID: "P18b", Name: "null, empty and short passwords of an existing session are refused", Script: `
		c get ~
		d connect session=c pw=null
		d eof
		e connect session=c pw=empty
		e eof
		f connect session=c pw=15
		f eof
		g connect session=c`},
	{ID: "P19", Name: "a closed session is refused", Script: `
		c get ~
		c close
		c eof
		d connect session=c
		d eof`},
	// ZooKeeper may close the connection of a silent session before it ends the session: the ephemeral tells.
	{ID: "P20", Name: "an expired session is refused", Script: `
		c connect timeout=2000
		c create ~/e flags=1
		c expires 2000
		w gone ~/e
		d connect session=c
		d eof`},
	{ID: "P21", Name: "a client that has seen more than a server that is alone", Script: `
		c connect zxid=big
		c exists ~`,
		Differs: &Difference{
			Reason: "nobody has what it has seen: the server's data was lost, and turned away its clients would never be served again",
			Want: `
		c connect zxid=big
			c: connected timeout=20000 session=c password=16 bytes readonly=false payload=37
		c exists ~
			c: ok {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=0 owner=0 len=0 children=0}`}},
	{ID: "P21b", Name: "the same with a session that the server does not know", Script: `
		c connect session=77 zxid=big
		c eof`,
		Differs: &Difference{
			Reason: "told that its session has expired it begins anew",
			Want: `
		c connect session=77 zxid=big
			c: connected timeout=0 session=0 password=zeros readonly=false payload=37
		c eof
			c: closed`}},
	{ID: "P22", Name: "the same with an existing session leaves its other connection alone", Script: `
		c get ~
		d connect session=c zxid=big
		d eof
		c alive`},
	{ID: "P23", Name: "a client that has seen exactly as much as the server is let in", Alone: true, Script: `
		c create ~/x
		d connect zxid=now
		d get ~/x`},
	{ID: "P24", Name: "a re-attach with a shorter timeout expires after it", Script: `
		c connect timeout=20000
		c create ~/e flags=1
		d connect session=c timeout=2000
		d expires 2000
		w gone ~/e`},
	{ID: "P25", Name: "auth does not survive a re-attach", Script: `
		c auth digest u:p
		c create ~/p "1" acl=PR
		c get ~/p
		d connect session=c
		d get ~/p
		d whoami
		d auth digest u:p
		d get ~/p`},
	{ID: "P26", Name: "a read-only client gets a normal session from a normal server", Script: `
		c connect ro=1
		c create ~/x`},
	{ID: "P29", Name: "a ping is answered by a bare header", Alone: true, Script: `
		c create ~/x
		c ping`},
	{ID: "P30", Name: "a ping under another xid is answered under -2", Script: `
		c ping xid=77`},
	{ID: "P30b", Name: "pings and requests keep their order", Alone: true, Script: `
		c & create ~/x
		c & ping
		c & get ~/x
		c & ping
		c flush`},
	{ID: "connect-zxids", Name: "opening and closing a session take one zxid each, re-attaching none", Alone: true, Script: `
		c create ~/a
		d connect
		c get ~
		d close
		c get ~
		e connect session=c
		e get ~`},
	{ID: "P3b", Name: "the extremes of timeouts", Script: `
		c1 connect timeout=-2147483648
		c2 connect timeout=2147483647`},
	{ID: "P16b", Name: "unknown sessions with odd ids are refused", Script: `
		c connect session=-1
		c eof
		d connect session=-9223372036854775808
		d eof
		e connect session=1 ro=none
		e eof`},
	{ID: "P17d", Name: "what the older connection had sent before is carried out", Script: `
		c create ~/x
		c set ~/x "1"
		d connect session=c
		d get ~/x
		c eof`},
	{ID: "P22b", Name: "a session that is turned away for its zxid may come back", Script: `
		c create ~/e flags=1
		c drop
		d connect session=c zxid=big
		e connect session=c
		e exists ~/e`},
	{ID: "handshake-twice", Name: "a second handshake on one connection is an unknown opcode", Script: `
		c get ~
		c frame 00000000 8x00 00002710 8x00 00000010 16x00 00
		c size
		c eof`},
	{ID: "handshake-halfclose", Name: "a client that closes its side leaves its session", Script: `
		c create ~/e flags=1
		c halfclose
		c eof
		d connect session=c
		d exists ~/e`},
	{ID: "handshake-refused-then-new", Name: "after a refusal the client opens a new session", Script: `
		c connect session=0x1234
		c eof
		d connect
		d create ~/x`},
}
