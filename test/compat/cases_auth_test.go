package compat

var authCases = []Case{
	{ID: "P53", Name: "digest adds an identity", Script: `
		c whoami
		c auth digest u:p
		c whoami`},
	{ID: "P54", Name: "auth under any xid", Script: `
		c auth digest u:p xid=7
		c whoami`},
	{ID: "P55", Name: "digest takes anything for a password", Script: `
		c auth digest nocolon
		c auth digest ""
		c auth digest "a:b:c"
		c auth digest "x\xff:y"
		c whoami`},
	{ID: "P56", Name: "other schemes are refused and close the connection", Script: `
		c1 auth foo x
		c1 eof
		c2 auth world anyone
		c2 eof
		c3 auth super x
		c3 eof
		c4 auth sasl x
		c4 eof
		c5 auth null x
		c5 eof
		c6 auth auth x
		c6 eof
		c7 auth "" x
		c7 eof
		c8 auth x509 x
		c8 eof`},
	{ID: "P56b", Name: "a refused auth closes the connection, not the session", Script: `
		c create ~/e flags=1
		c auth foo x
		c eof
		d connect session=c
		d exists ~/e`},
	{ID: "P56c", Name: "nothing behind a refused auth is carried out", Script: `
		c get ~
		c & auth foo x
		c & create ~/x
		c flush
		w exists ~/x`},
	{ID: "P56d", Name: "ip may be presented again", Script: `
		c auth ip x
		c whoami`},
	{ID: "P57", Name: "digest with null data", Script: `
		c auth digest null
		c eof`},
	{ID: "P58", Name: "auth packets do not keep a session alive", Script: `
		c connect timeout=2000
		c auths 300`},
	{ID: "P59", Name: "pings keep a session alive", Script: `
		c connect timeout=2000
		c create ~/e flags=1
		c pings 500 4000
		c exists ~/e`},
	{ID: "P60", Name: "sasl on a server without it", Script: `
		c sasl ""
		c sasl "abc"
		c get ~`},
	{ID: "P64", Name: "enforced auth refuses a ping", Server: "enforced", Script: `
		a auth digest u:p
		c ping
		c eof`},
	{ID: "P64b", Name: "enforced auth refuses requests and closeSession", Server: "enforced", Script: `
		a auth digest u:p
		c get /
		c eof
		d close
		d eof
		a get ~`},
	{ID: "P65", Name: "enforced auth lets the authenticated in", Server: "enforced", Script: `
		c auth digest u:p
		c get ~
		c create ~/x
		c whoami`},
	{ID: "S149", Name: "whoAmI lists every identity once", Script: `
		a auth digest u:p
		a auth digest u:p
		a auth digest v:q
		a auth digest u:other
		a whoami`},
	{ID: "S150", Name: "whoAmI of the superuser", Script: `
		s auth digest super:secret
		s whoami`},
	{ID: "S206", Name: "two connections with the same digest", Script: `
		a auth digest u:p
		b auth digest u:p
		a create ~/p "1" acl=PR
		a get ~/p
		b get ~/p
		b delete ~/p`},
	{ID: "S207", Name: "a wrong digest password is no error until a node is touched", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		b auth digest u:wrong
		b get ~/p
		b auth digest u:p
		b get ~/p`},
}
