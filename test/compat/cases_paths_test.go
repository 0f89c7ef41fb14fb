package compat

var pathCases = []Case{
	{ID: "S13", Name: "create without a slash", Script: `
		c create foo
		c create2 foo`},
	{ID: "S14", Name: "create below a relative parent", Script: `
		c create foo/bar`},
	{ID: "S15", Name: "create of the empty path", Script: `
		c create ""`},
	{ID: "S16", Name: "create with an empty component", Script: `
		c create ~//b
		c create //b
		c create ~/a//`},
	{ID: "S17", Name: "create with a slash at the end", Script: `
		c create ~/
		c create ~/x/`},
	{ID: "S18", Name: "a sequential create may end in a slash", Script: `
		c create ~/ flags=2
		c create ~/ flags=3
		c create ~/ flags=2`},
	{ID: "S19", Name: "create of . and ..", Script: `
		c create ~/.
		c create ~/..
		c create /.
		c create ~/./a`},
	{ID: "S20", Name: "other names of dots", Script: `
		c create ~/...
		c create ~/a.
		c create ~/.a
		c create ~/..a
		c create ~/a..b
		c children ~`},
	{ID: "S21", Name: "create through ..", Script: `
		c create ~/../z
		c create ~/a
		c create ~/a/../z`},
	{ID: "S22", Name: "code points that no name may hold", Script: `
		c create "~/a\u0001"
		c create "~/a\n"
		c create "~/a\u001f"
		c create "~/a\u007f"
		c create "~/a\u009f"
		c create "~/a\ue000"
		c create "~/a\uf8ff"
		c create "~/a\ufff0"
		c create "~/a\ufffd"
		c create "~/a\U0001f600"
		c children ~`},
	{ID: "S23", Name: "code points next to them", Script: `
		c create "~/a b"
		c create "~/a\u00a0"
		c create "~/a\uf900"
		c create "~/a\uffef"
		c create "~/ü"
		c create "~/日本"
		c children ~`},
	{ID: "S24", Name: "NUL in a path", Script: `
		c create "~/a\x00"
		c create "~/none/a\x00"
		c delete "~/a\x00"
		c exists "~/a\x00"
		c get "~/a\x00"
		c set "~/a\x00" "1"
		c children "~/a\x00"
		c sync "~/a\x00"`},
	{ID: "S22b", Name: "an illegal name is noticed only after the parent", Script: `
		c create "~/none/a\u0001"
		c create ~/a
		c create "~/a/\u0001"`},
	{ID: "S22c", Name: "an illegal name in sequential and other creates", Script: `
		c create "~/a\u0001" flags=2
		c create2 "~/a\u0001"
		c container "~/a\u0001"
		c ttl "~/a\u0001"
		c create "~/a\u0001" flags=1`},
	{ID: "S59", Name: "delete of odd paths", Script: `
		c delete nos
		c delete ""
		c delete ~/
		c delete ~//a
		c delete "~/a\u0001"
		c delete ~/..`},
	{ID: "S66", Name: "setData and setACL of odd paths", Script: `
		c set ~/ "1"
		c set "" "1"
		c set nos "1"
		c set ~/. "1"
		c set "~/a\u0001" "1"
		c setacl ~/
		c setacl ""
		c setacl ~/..
		c setacl ~//a`},
	{ID: "paths-reads", Name: "reads of odd paths find nothing", Script: `
		c get nos
		c get ~/
		c exists ~/
		c exists ~//a
		c exists nos
		c children ~/
		c children2 ~/..
		c getacl ~/.
		c count ~/
		c get "~/a\u0001"`},
	{ID: "S143", Name: "sync of anything", Script: `
		c sync ~/none
		c sync "bad path"
		c sync ""
		c sync nos`},
	{ID: "paths-watch", Name: "watches on odd paths are taken and never fire", Script: `
		w exists nos watch
		w addwatch ~/ 0
		w addwatch "" 1
		w addwatch nos 0
		c create ~/a
		c delete ~/a
		w removewatches ~/ 3
		w removewatches nos 3`},
	{ID: "paths-multi", Name: "odd paths inside a multi", Script: `
		c multi create foo
		c multi create ~//b
		c multi delete nos
		c multi set ~/ "1"
		c multi check ~/ 0
		c multi check nos 0
		c multi create "~/a\u0001"
		c multi delete ""`},
}
