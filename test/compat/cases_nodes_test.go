package compat

var nodeCases = []Case{
	{ID: "S1", Name: "an empty server's nodes", Server: "empty", Alone: true, Script: `
		c get /
		c exists /zookeeper
		c exists /zookeeper/quota
		c exists /zookeeper/config
		c get /zookeeper/config
		c getacl /
		c getacl /zookeeper
		c getacl /zookeeper/quota
		c getacl /zookeeper/config
		c children /
		c children /zookeeper
		c count /
		c count /zookeeper
		c exists ""
		c get ""
		c children ""
		c count ""`},
	{ID: "S65", Name: "the first writes of an empty server, and setData of the root", Server: "empty", Alone: true, Script: `
		c get /
		c create /first "x"
		c exists /first
		c get /
		c create /first/a
		c delete /first/a
		c delete /first
		c get /
		c set / "root"
		c get /
		c set / ""`},
	{ID: "S7", Name: "create sets the new node's Stat", Script: `
		c create ~/a "xyz"
		c get ~/a
		c exists ~/a`},
	{ID: "S8", Name: "create moves the parent's child counters", Script: `
		c exists ~
		c create ~/a
		c exists ~
		c create ~/b
		c create ~/a/x
		c exists ~`},
	{ID: "S9", Name: "delete moves the parent's child counters", Script: `
		c create ~/a
		c delete ~/a
		c exists ~
		c exists ~/a
		c create ~/a
		c exists ~`},
	{ID: "S7b", Name: "create2 answers with the Stat", Script: `
		c create2 ~/a "xyz"
		c create2 ~/b null
		c create2 ~/e flags=1
		c create2 ~/s- flags=2`},
	{ID: "S10", Name: "create of what exists", Script: `
		c create ~/a "1"
		c create ~/a "2"
		c create2 ~/a "2"
		c get ~/a
		c exists ~`},
	{ID: "S11", Name: "create without a parent", Script: `
		c create ~/x/y
		c create2 ~/x/y
		c container ~/x/y
		c ttl ~/x/y`},
	{ID: "S12", Name: "create of the root", Script: `
		c create /`},
	{ID: "S56", Name: "delete: a wrong version comes before children", Script: `
		c create ~/a
		c create ~/a/b
		c delete ~/a 3
		c delete ~/a 0
		c delete ~/a -1
		c delete ~/a/b 1
		c delete ~/a/b 0
		c delete ~/a 0`},
	{ID: "S58", Name: "system nodes cannot be deleted", Script: `
		c delete /
		c delete /zookeeper
		c delete /zookeeper/quota
		c delete /zookeeper/config
		c delete /zookeeper/config 99`},
	{ID: "S60", Name: "delete of what is not there", Script: `
		c delete ~/none/x
		c delete ~/none
		c delete ~/none 7`},
	{ID: "S61", Name: "setData with the right version", Script: `
		c create ~/a "0"
		c set ~/a "1"
		c set ~/a "22" 1
		c set ~/a "333"
		c exists ~/a
		c set ~/a "4444" 3
		c get ~/a
		c exists ~`},
	{ID: "S61b", Name: "setData with the same bytes still makes a version", Script: `
		c create ~/a "0"
		w get ~/a watch
		c set ~/a "0"`},
	{ID: "S62", Name: "setData with a wrong version", Script: `
		c create ~/a "0"
		c set ~/a "1" 0
		c set ~/a "2" 0
		c set ~/a "2" 2
		c set ~/a "2" -2
		c set ~/a "2" -2147483648
		c get ~/a`},
	{ID: "S63", Name: "setData with version -1", Script: `
		c create ~/a "0"
		c set ~/a "1" -1
		c set ~/a "2" -1`},
	{ID: "S64", Name: "setData null", Script: `
		c create ~/a "0"
		c set ~/a null
		c get ~/a
		c set ~/a empty
		c get ~/a`},
	{ID: "S67", Name: "setData of what is not there", Script: `
		c set ~/none "1" 5
		c set ~/none "1"`},
	{ID: "S69", Name: "setACL: the list comes before the node", Script: `
		c setacl ~/none acl=empty
		c setacl ~/none acl=null
		c setacl ~/none acl=31:foo:x
		c setacl ~/none`},
	{ID: "S70", Name: "setACL: the path comes before the list", Script: `
		c setacl nos acl=empty`},
	{ID: "S71", Name: "setACL with a wrong version", Script: `
		c create ~/a
		c setacl ~/a 9
		c setacl ~/a -2
		c set ~/a "1"
		c setacl ~/a 1
		c getacl ~/a`},
	{ID: "S72", Name: "setACL counts aversion and nothing else", Script: `
		c create ~/a "x"
		c create ~/a/b
		c setacl ~/a 0 acl=31:world:anyone,1:ip:127.0.0.1
		c exists ~/a
		c setacl ~/a 1
		c setacl ~/a
		c getacl ~/a
		c exists ~`},
	{ID: "S3b", Name: "nodes below the system nodes", Script: `
		c create /zookeeper/config/x
		c set /zookeeper/config "x"
		c set /zookeeper/config "x" 5
		c setacl /zookeeper/config
		c create /zookeeper~ "1"
		c get /zookeeper~
		c delete /zookeeper~`},
	{ID: "S3c", Name: "the superuser writes the config node of a single server", Alone: true, Script: `
		s auth digest super:secret
		s setacl /zookeeper/config acl=1:world:anyone,1:world:anyone
		s getacl /zookeeper/config
		s create /zookeeper/config/x
		s delete /zookeeper/config/x`},
	{ID: "nodes-deep", Name: "a deep tree, each level with its own counters", Script: `
		c create ~/a
		c create ~/a/b
		c create ~/a/b/c
		c create ~/a/b/c/d
		c exists ~/a
		c exists ~/a/b
		c exists ~/a/b/c
		c delete ~/a/b/c/d
		c exists ~/a/b/c
		c exists ~/a/b
		c count ~`},
	{ID: "nodes-size", Name: "names and data of some size", Script: `
		c create ~/abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz "0123456789"
		c children ~
		c exists ~/abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz`},
	{ID: "nodes-others", Name: "one session sees what another wrote", Script: `
		c create ~/a "1"
		w get ~/a
		w set ~/a "2"
		c get ~/a
		c delete ~/a 1
		w get ~/a`},
	{ID: "nodes-flags", Name: "flags outside the known ones", Script: `
		c create ~/a flags=7
		c create ~/a flags=-1
		c create2 ~/a flags=99
		c container ~/a flags=8
		c ttl ~/a flags=7
		c exists ~/a`},
	{ID: "S25", Name: "create: flags come before everything", Script: `
		c create ~/none/x flags=7
		c create foo flags=99
		c create ~/a flags=7 acl=empty`},
	{ID: "nodes-recreate", Name: "a node made anew starts anew", Script: `
		c create ~/a "1"
		c set ~/a "2"
		c setacl ~/a
		c create ~/a/x
		c delete ~/a/x
		c delete ~/a
		c create ~/a "3"
		c get ~/a
		c getacl ~/a`},
	{ID: "nodes-delete-many", Name: "cversion and pzxid over many creates and deletes", Script: `
		c create ~/1
		c create ~/2
		c delete ~/1
		c exists ~
		c create ~/1
		c delete ~/1
		c delete ~/2
		c exists ~
		c multi create ~/3 ; delete ~/3 ; create ~/4
		c exists ~`},
	{ID: "nodes-prefix", Name: "names that begin alike", Script: `
		c create ~/a
		c create ~/ab
		c create ~/a/b
		c create ~/abc
		c delete ~/a/b
		c delete ~/a
		c children ~
		c get ~/ab`},
	{ID: "nodes-case", Name: "names differ by case and by normal form", Script: `
		c create ~/A
		c create ~/a
		c create "~/\u00e9"
		c create "~/e\u0301"
		c children ~`},
}
