package compat

var sequenceCases = []Case{
	{ID: "S77", Name: "sequential names count the parent's children", Script: `
		c create ~/n flags=2
		c create ~/n flags=2
		c create ~/n flags=3
		c create2 ~/m flags=2
		c children ~
		c exists ~`},
	{ID: "S78", Name: "deleting does not take numbers back, nor do setData and setACL use them up", Script: `
		c create ~/n flags=2
		c create ~/n flags=2
		c create ~/n flags=2
		c delete ~/n0000000000
		c delete ~/n0000000001
		c delete ~/n0000000002
		c create ~/n flags=2
		c set ~ "1"
		c setacl ~
		c create ~/n flags=2
		c create ~/n0000000004
		c create ~/n flags=2
		c exists ~`},
	{ID: "S78b", Name: "ordinary children use numbers up, grandchildren do not", Script: `
		c create ~/a
		c create ~/n flags=2
		c create ~/a/b
		c create ~/a/b/c
		c create ~/n flags=2
		c create ~/a/n flags=2`},
	{ID: "S81", Name: "a name that is taken", Script: `
		c create ~/a0000000001
		c create ~/a flags=2
		c create ~/a flags=2
		c create ~/c
		c create ~/a flags=2
		c children ~`},
	{ID: "S82", Name: "sequential names in a multi", Since: "3.9", Script: `
		c multi create ~/s flags=2 ; create ~/s flags=2 ; create2 ~/t flags=3
		c create ~/s flags=2`},
	{ID: "S83", Name: "a failing multi gives its numbers back", Script: `
		c create ~/s flags=2
		c multi create ~/s flags=2 ; create ~/s flags=2 ; delete ~/none
		c create ~/s flags=2
		c create ~/none/s flags=2
		c create ~/s flags=2 acl=empty
		c create ~/s flags=2`},
	{ID: "S77b", Name: "a parent made anew starts at zero", Script: `
		c create ~/p
		c create ~/p/s flags=2
		c create ~/p/s flags=2
		c delete ~/p/s0000000000
		c delete ~/p/s0000000001
		c delete ~/p
		c create ~/p
		c create ~/p/s flags=2`},
	{ID: "S77c", Name: "numbers for two sessions", Script: `
		c create ~/l- flags=3
		d create ~/l- flags=3
		c create ~/l- flags=3
		d close
		c children ~
		c create ~/l- flags=3`},
	{ID: "S121", Name: "sequential TTL nodes and containers", Script: `
		c ttl ~/t flags=6 ttl=60000
		c ttl ~/t flags=6 ttl=60000
		c container ~/c flags=2
		c children ~`},
	{ID: "sequence-pipelined", Name: "numbers in a pipeline", Script: `
		c & create ~/s flags=2
		c & create ~/s flags=2
		c & create ~/s0000000002
		c & create ~/s flags=2
		c & create ~/t flags=2
		c & create ~/u
		c & create ~/s flags=2
		c flush
		c children ~`},
}
