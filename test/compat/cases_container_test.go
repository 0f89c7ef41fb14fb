package compat

var containerCases = []Case{
	{ID: "P81", Name: "a container", Script: `
		c container ~/a "1"
		c get ~/a
		c container ~/a "1"`},
	{ID: "P82", Name: "a TTL node", Script: `
		c ttl ~/a "1" ttl=60000
		c get ~/a
		c ttl ~/a ttl=60000`},
	{ID: "S108", Name: "a container goes after its last child", Script: `
		c container ~/a
		c create ~/a/x
		w exists ~/a watch
		w children ~/a watch
		c & delete ~/a/x
		c gone ~/a`},
	{ID: "S109", Name: "a container that never had a child stays", Script: `
		c container ~/a
		c stays ~/a 600`},
	{ID: "S108b", Name: "a container stays as long as it has a child", Script: `
		c container ~/a
		c create ~/a/x
		c create ~/a/y
		c delete ~/a/x
		c stays ~/a 400
		c delete ~/a/y
		c gone ~/a
		c exists ~`},
	{ID: "S110", Name: "a container can be deleted by hand, with children not", Script: `
		c container ~/a
		c create ~/a/x
		c delete ~/a
		c container ~/b
		c delete ~/b
		c exists ~/b`},
	{ID: "S111", Name: "containers and TTL nodes have no owner and may have children", Script: `
		c container ~/a
		c ttl ~/b ttl=60000
		c exists ~/a
		c exists ~/b
		c create ~/b/x
		c container ~/a/b
		c exists ~/a/b`},
	{ID: "S112", Name: "create with the container flag makes a plain node", Script: `
		c create ~/a flags=4
		c create2 ~/b flags=4
		c create ~/a/x
		c delete ~/a/x
		c stays ~/a 600`},
	{ID: "S112b", Name: "createContainer with other flags", Script: `
		c container ~/a flags=0
		c container ~/b flags=1
		c container ~/c- flags=2
		c create ~/a/x
		c delete ~/a/x
		c gone ~/a
		c ephemerals ~`},
	{ID: "S113", Name: "a TTL node goes when its time is up", Script: `
		c ttl ~/a ttl=700
		w exists ~/a watch
		c gone ~/a after=700`},
	{ID: "S114", Name: "a TTL node with a child stays until the child is gone", Script: `
		c ttl ~/a ttl=300
		c create ~/a/x
		c stays ~/a 700
		c delete ~/a/x
		c gone ~/a`},
	{ID: "S115", Name: "setData renews a TTL node", Script: `
		c ttl ~/a ttl=2500
		c stays ~/a 1000
		c set ~/a "1"
		c gone ~/a after=2500`},
	{ID: "S116", Name: "times out of range", Script: `
		c ttl ~/a ttl=0
		c ttl ~/a ttl=-1
		c ttl ~/a ttl=0x10000000000
		c ttl ~/a ttl=9223372036854775807
		c ttl ~/a flags=6 ttl=0
		c exists ~/a`},
	{ID: "S117", Name: "the longest time", Script: `
		c ttl ~/a ttl=0xFFFFFFFFFF
		c exists ~/a`},
	{ID: "S118", Name: "TTL nodes can be switched off", Server: "empty", Script: `
		c ttl /ttl
		c ttl /ttl flags=6
		c create /ttl flags=5
		c multi ttl /ttl
		c alive
		c exists /ttl`},
	{ID: "ttl-default", Name: "TTL nodes without a word about them in the configuration", Server: "few", Script: `
		c ttl ~/a ttl=60000
		c alive`,
		Differs: &Difference{
			Reason: "TTL nodes are on unless extendedTypesEnabled=false says otherwise: there is no reason to leave them out",
			Want: `
		c ttl ~/a ttl=60000
			c: ok z1 ~/a {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=0 owner=0 len=0 children=0}
		c alive
			c: alive`}},
	{ID: "S119", Name: "createTTL with other flags", Script: `
		c ttl ~/a flags=0 ttl=5
		c ttl ~/a flags=1 ttl=5
		c ttl ~/a flags=4 ttl=5
		c exists ~/a`},
	{ID: "S119b", Name: "createTTL with other flags in a multi", Since: "3.9", Script: `
		c multi ttl ~/a flags=0 ttl=5
		c multi ttl ~/e flags=1 ttl=5
		c exists ~/a
		c ephemerals ~`},
	{ID: "S119c", Name: "createContainer with other flags in a multi", Since: "3.9", Script: `
		c multi container ~/a flags=0 ; container ~/b flags=1 ; container ~/c- flags=2 ; create2 ~/d flags=4
		c ephemerals ~
		c create ~/a/x
		c delete ~/a/x
		c gone ~/a
		c create ~/d/x
		c delete ~/d/x
		c gone ~/d`},
	{ID: "S120", Name: "create with a TTL flag", Script: `
		c create ~/a flags=5
		c create ~/a flags=6
		c create2 ~/a flags=5
		c container ~/a flags=5
		c exists ~/a`},
	{ID: "P110", Name: "createTTL with other flags and a negative time", Script: `
		c ttl ~/a flags=0 ttl=-1
		c alive
		c exists ~/a`,
		Differs: &Difference{
			NoReal: "it would die, and not start again",
			Reason: "ZooKeeper accepts this request, dies of it and cannot start again; zkd answers BadArguments",
			Want: `
		c ttl ~/a flags=0 ttl=-1
			c: BadArguments z1
		c alive
			c: alive
		c exists ~/a
			c: NoNode`}},
	{ID: "ttl-mtime", Name: "children do not renew a TTL node", Script: `
		c ttl ~/a ttl=600
		c create ~/a/x
		c stays ~/a 800
		c delete ~/a/x
		c gone ~/a`},
	{ID: "container-chain", Name: "containers inside one another go from the inside out", Script: `
		c container ~/a
		c container ~/a/b
		c create ~/a/b/x
		c delete ~/a/b/x
		c gone ~/a/b
		c gone ~/a
		c exists ~`},
	{ID: "container-watches", Name: "what watchers see of a container's end", AnyOrder: true, Script: `
		c container ~/a
		c create ~/a/x
		w children ~ watch
		x addwatch ~ 1
		c & delete ~/a/x
		c gone ~/a`},
	{ID: "container-anew", Name: "a container made anew in the place of a reaped one", Script: `
		c container ~/a "1"
		c create ~/a/x
		c delete ~/a/x
		c gone ~/a
		c container ~/a "2"
		c stays ~/a 400
		c get ~/a`},
	{ID: "ttl-sequential", Name: "sequential TTL nodes go one by one", Script: `
		c ttl ~/t- flags=6 ttl=300
		c ttl ~/t- flags=6 ttl=60000
		c gone ~/t-0000000000
		c children ~
		c ttl ~/t- flags=6 ttl=60000`},
	{ID: "ttl-setacl", Name: "setACL does not renew a TTL node", Script: `
		c ttl ~/a ttl=800
		c stays ~/a 300
		c setacl ~/a
		c gone ~/a`},
}
