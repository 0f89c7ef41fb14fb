package compat

var wordCases = []Case{
	{ID: "P86", Name: "ruok", Script: `
		c words ruok`},
	{ID: "P87", Name: "ruok with a line end", Script: `
		c words "ruok\n"
		c words "ruok\r\n"
		c words "ruokxyz"`},
	{ID: "P87b", Name: "a client that closes its side first gets its answer", Script: `
		c dial
		c bytes "ruok"
		c halfclose
		c text`},
	{ID: "P87c", Name: "a word in two segments", Script: `
		c dial
		c bytes "ru"
		c silent 50
		c bytes "ok"
		c text`},
	{ID: "P88", Name: "words that are not on the list", Server: "empty", Script: `
		c words ruok
		c words mntr
		c words isro
		c words conf`},
	{ID: "P89", Name: "srvr is always there", Server: "empty", Script: `
		c words srvr keys`},
	{ID: "P88b", Name: "a list of some words", Server: "few", Script: `
		c words ruok
		c words isro
		c words stat
		c words srvr keys`},
	{ID: "P90", Name: "what is not a word closes the connection", Script: `
		c words abcd
		c words RUOK
		c words lead
		c words "\xff\xf4\xff\xfd"`},
	{ID: "P91", Name: "after the handshake words are just a bad length", Script: `
		c get ~
		c bytes "ruok"
		c eof
		d connect session=c`},
	{ID: "P92", Name: "isro on a normal server", Script: `
		c words isro`},
	{ID: "P94", Name: "half a word waits", Script: `
		c dial
		c bytes "ru"
		c silent 400`},
	{ID: "words-srvr", Name: "srvr of a single server", Script: `
		c words srvr keys`},
	{ID: "words-conf", Name: "conf", Script: `
		c words conf keys`},
	{ID: "words-gtmk", Name: "the trace mask", Alone: true, Script: `
		c words gtmk
		c words "stmk\x00\x00\x00\x00\x00\x00\x01\x30"
		c words gtmk
		c words "stmk\x00\x00\x00\x00\x00\x00\x01\x32"`},
	{ID: "words-dirs", Name: "dirs", Script: `
		c words dirs keys`},
	{ID: "words-reset", Name: "crst and srst", Alone: true, Script: `
		c words crst
		c words srst`},
}
