package compat

var watchCases = []Case{
	{ID: "P101", Name: "one's own change is notified before its reply", Script: `
		c exists ~/a watch
		c create ~/a
		c get ~/a watch
		c set ~/a "1"
		c children ~ watch
		c create ~/b`},
	{ID: "P102", Name: "a notification carries the zxid of the change", Script: `
		w exists ~/a watch
		c create ~/a
		w get ~/a watch
		c set ~/a "1"
		w children ~ watch
		w exists ~/a watch
		c delete ~/a`},
	{ID: "S158", Name: "an exists watch waits for the node", Script: `
		w exists ~/n watch
		c create ~/other
		c create ~/n/x
		c create ~/n
		c set ~/n "1"`},
	{ID: "S159", Name: "an exists watch on a node that is there", Script: `
		c create ~/n
		w exists ~/n watch
		c set ~/n "1"
		w exists ~/n watch
		c delete ~/n
		w exists ~/n watch
		c create ~/n`},
	{ID: "S160", Name: "failing reads leave no watch", Script: `
		w get ~/n watch
		w children ~/n watch
		w children2 ~/n watch
		c create ~/n
		c create ~/n/x`},
	{ID: "S160b", Name: "refused reads leave no watch", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		w get ~/p watch
		w children ~/p watch
		a setacl ~/p
		a set ~/p "2"
		a create ~/p/x`},
	{ID: "S160c", Name: "a refused exists leaves no watch", Since: "3.9", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		w exists ~/p watch
		a setacl ~/p
		a set ~/p "2"`},
	{ID: "S161", Name: "a watch fires once", Script: `
		c create ~/n
		w get ~/n watch
		c set ~/n "1"
		c set ~/n "2"
		c delete ~/n`},
	{ID: "S162", Name: "data and exists watches are one", Script: `
		c create ~/n
		w get ~/n watch
		w exists ~/n watch
		w get ~/n watch
		c set ~/n "1"
		c set ~/n "2"`},
	{ID: "S163", Name: "a child watch sees a created child", Script: `
		c create ~/n
		w children ~/n watch
		c create ~/n/k
		c create ~/n/l
		w children2 ~/n watch
		c delete ~/n/k`},
	{ID: "S164", Name: "a child watch does not see data", Script: `
		c create ~/n
		c create ~/n/k
		w children ~/n watch
		c set ~/n "1"
		c set ~/n/k "1"
		c setacl ~/n`},
	{ID: "S165", Name: "a child watch does not see grandchildren", Script: `
		c create ~/n
		c create ~/n/k
		w children ~/n watch
		c create ~/n/k/j
		c delete ~/n/k/j
		c delete ~/n/k`},
	{ID: "S166", Name: "a child watch sees its node go", Script: `
		c create ~/n
		w children ~/n watch
		c delete ~/n
		c create ~/n
		c create ~/n/x`},
	{ID: "S167", Name: "data, child and parent watches see one deletion", Script: `
		c create ~/n
		w get ~/n watch
		w children ~/n watch
		w children ~ watch
		c delete ~/n
		c create ~/n
		c delete ~/n`},
	{ID: "S168", Name: "setACL fires nothing", Script: `
		c create ~/n
		w get ~/n watch
		w children ~/n watch
		w addwatch ~ 1
		c setacl ~/n
		c set ~/n "1"`},
	{ID: "S169", Name: "the life of a persistent watch", Script: `
		w addwatch ~/p 0
		c create ~/p
		c set ~/p "1"
		c create ~/p/x
		c set ~/p/x "1"
		c create ~/p/x/y
		c delete ~/p/x/y
		c delete ~/p/x
		c delete ~/p
		c create ~/p`},
	{ID: "S170", Name: "the life of a recursive watch", Script: `
		w addwatch ~/r 1
		c create ~/r
		c set ~/r "1"
		c create ~/r/x
		c set ~/r/x "1"
		c create ~/r/x/y
		c delete ~/r/x/y
		c delete ~/r/x
		c delete ~/r
		c create ~/r2`},
	{ID: "S171", Name: "a recursive and a child watch see different events", Script: `
		c create ~/r
		c create ~/r/q
		w addwatch ~/r 1
		w children ~/r/q watch
		c create ~/r/q/1
		c delete ~/r/q/1`},
	{ID: "S172", Name: "all kinds of watches on one node", Since: "3.9", Script: `
		c create ~/p
		w get ~/p watch
		w children ~/p watch
		w addwatch ~/p 0
		w addwatch ~/p 1
		c set ~/p "1"
		c set ~/p "2"
		c create ~/p/z
		c create ~/p/y
		c delete ~/p/z
		c delete ~/p/y
		c delete ~/p`},
	{ID: "S173", Name: "a recursive watch on the root", Alone: true, Script: `
		w addwatch / 1
		c create /zookeeper~
		c create ~/x
		c delete /zookeeper~`},
	{ID: "S174", Name: "no event without READ", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		w addwatch ~/p 0
		w addwatch ~/p 1
		a set ~/p "2"
		a create ~/p/x
		b auth digest u:p
		b addwatch ~/p 0
		a set ~/p "3"`},
	{ID: "S175", Name: "a recursive watch does not show protected nodes", Script: `
		w addwatch ~ 1
		a auth digest u:p
		a create ~/prot acl=PR
		a set ~/prot "1"
		a delete ~/prot`},
	{ID: "S176", Name: "a child watch asks the parent's ACL", Script: `
		w children ~ watch
		a auth digest u:p
		a create ~/prot acl=PR
		w children ~ watch
		a delete ~/prot`},
	{ID: "S176b", Name: "an exists watch on a node that comes protected", Script: `
		w exists ~/p watch
		a auth digest u:p
		a create ~/p acl=PR
		a delete ~/p
		c create ~/p`},
	{ID: "S177", Name: "an event withheld uses the watch up", Script: `
		a auth digest u:p
		a create ~/p "1"
		w get ~/p watch
		a setacl ~/p acl=PR
		a set ~/p "2"
		a setacl ~/p
		a set ~/p "3"`},
	{ID: "S177b", Name: "deletion of a node one may not read", Script: `
		a auth digest u:p
		a create ~/p "1"
		w get ~/p watch
		w children ~/p watch
		w children ~ watch
		a setacl ~/p acl=PR
		a delete ~/p`},
	{ID: "P83", Name: "addWatch answers with an error record of 0", Script: `
		c addwatch ~ 0
		c addwatch ~ 1
		c addwatch ~/none 0
		c raw 106 00000002 2f61 00000001`},
	{ID: "P84", Name: "addWatch with an unknown mode", Script: `
		c addwatch ~ 2
		c addwatch ~ -1
		c alive`},
	{ID: "watches-two", Name: "every watching connection is told", Script: `
		c create ~/n
		u get ~/n watch
		v get ~/n watch
		w children ~ watch
		x addwatch ~ 1
		c set ~/n "1"
		c delete ~/n`},
	{ID: "watches-again", Name: "a watch set anew after it fired", Script: `
		c create ~/n
		w get ~/n watch
		c set ~/n "1"
		w get ~/n watch
		c set ~/n "2"
		w children ~ watch
		c create ~/m
		w children ~ watch
		c create ~/o`},
	{ID: "watches-order", Name: "events and replies in one stream", Script: `
		c create ~/n
		c & get ~/n watch
		c & set ~/n "1"
		c & get ~/n watch
		c & children ~ watch
		c & create ~/m
		c & delete ~/n
		c & exists ~/n watch
		c & create ~/n
		c flush`},
	{ID: "watches-failing", Name: "failing writes fire nothing", Script: `
		c create ~/n
		w get ~/n watch
		w children ~ watch
		w exists ~/x watch
		w addwatch ~ 1
		c set ~/n "1" 9
		c delete ~/n 9
		c create ~/n
		c create ~/x acl=empty
		c delete ~/none`},
	{ID: "watches-session", Name: "the end of a session looks like deletions", Script: `
		c create ~/e flags=1
		w exists ~/e watch
		x children ~ watch
		y addwatch ~ 0
		z addwatch ~ 1
		c close`},
	{ID: "watches-sibling", Name: "a recursive watch keeps to whole components", Script: `
		c create ~/a
		c create ~/ab
		w addwatch ~/a 1
		c create ~/ab/x
		c create ~/a/x
		c set ~/ab "1"`},
	{ID: "watches-two-recursive", Name: "two recursive watches on a path make one event", Script: `
		c create ~/a
		w addwatch ~ 1
		w addwatch ~/a 1
		c create ~/a/x
		c set ~/a/x "1"
		c delete ~/a/x`},
	{ID: "watches-seq", Name: "a watch on a sequential name that will come", Script: `
		w exists ~/s0000000000 watch
		w addwatch ~ 1
		c create ~/s flags=2`},
	{ID: "S198", Name: "watches end with the connection", Script: `
		c create ~/n
		w get ~/n watch
		w addwatch ~ 1
		v connect session=w
		c set ~/n "1"
		v exists ~/n watch
		c set ~/n "2"`},
	{ID: "S198b", Name: "watches of a closed session", Script: `
		w get ~ watch
		w close
		c set ~ "1"
		c exists ~`},
	{ID: "watches-same-twice", Name: "the same watch set twice fires once", Script: `
		c create ~/n
		w addwatch ~/n 0
		w addwatch ~/n 0
		x addwatch ~/n 1
		x addwatch ~/n 1
		y children ~/n watch
		y children2 ~/n watch
		c set ~/n "1"
		c create ~/n/k`},
	{ID: "watches-multi-recreate", Name: "a node deleted and made anew in one multi", Script: `
		c create ~/n
		w get ~/n watch
		x addwatch ~/n 0
		y addwatch ~/n 1
		z children ~ watch
		c multi delete ~/n ; create ~/n "new"`},
	{ID: "watches-multi-children", Name: "child watches and a multi", Script: `
		w children ~ watch
		x addwatch ~ 0
		c multi create ~/a ; create ~/b ; delete ~/a`},
	{ID: "watches-ttl", Name: "events of a TTL node's end", Script: `
		c ttl ~/a ttl=700
		w children ~ watch
		x get ~/a watch
		c gone ~/a`},
	{ID: "watches-exists-child", Name: "an exists watch does not see children", Script: `
		c create ~/n
		w exists ~/n watch
		c create ~/n/k
		c delete ~/n/k
		c setacl ~/n
		c delete ~/n`},
	{ID: "watches-super", Name: "the superuser is told about protected nodes", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		s auth digest super:secret
		s get ~/p watch
		s addwatch ~ 1
		a set ~/p "2"
		a create ~/p/x acl=PR
		a delete ~/p/x`},
	{ID: "watches-auth-later", Name: "identities count when the event comes, not when the watch was set", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		w addwatch ~/p 0
		a set ~/p "2"
		w auth digest u:p
		a set ~/p "3"`},
	{ID: "watches-other-path", Name: "a data watch is about one path only", Script: `
		c create ~/n
		c create ~/n/k
		c create ~/nn
		w get ~/n watch
		c set ~/n/k "1"
		c set ~/nn "1"
		c set ~ "1"
		c set ~/n "1"`},
}
