package compat

var ephemeralCases = []Case{
	{ID: "S85", Name: "an ephemeral names its session", Script: `
		c create ~/e "1" flags=1
		c exists ~/e
		w get ~/e
		c create2 ~/f flags=1
		w set ~/e "22"`},
	{ID: "S86", Name: "no children below an ephemeral", Script: `
		c create ~/e flags=1
		c create ~/e/k
		c create ~/e/k flags=2
		c create ~/e/k flags=1
		c container ~/e/k
		w create ~/e/k
		w ttl ~/e/k`},
	{ID: "S87", Name: "a bad name below an ephemeral comes first", Script: `
		c create ~/e flags=1
		c create ~/e/..
		c create "~/e/\u0001"
		c create ~/e/none/x`},
	{ID: "S88", Name: "another session may delete an ephemeral", Script: `
		c create ~/e flags=1
		w delete ~/e
		c ephemerals ~
		c close
		w exists ~`},
	{ID: "S89", Name: "closing deletes all with one zxid; a child watch fires once", Script: `
		c create ~/e1 flags=1
		c create ~/e2 flags=1
		w children ~ watch
		c close
		w children2 ~
		w exists ~/e1`},
	{ID: "S90", Name: "a persistent watch sees every deletion of a close", Script: `
		c create ~/e1 flags=1
		c create ~/e2 flags=1
		w addwatch ~ 0
		c close`},
	{ID: "S91", Name: "a recursive watch sees every node of a close", AnyOrder: true, Script: `
		c create ~/e1 flags=1
		c create ~/e2 flags=1
		w addwatch ~ 1
		c close`},
	{ID: "S92", Name: "the closing session is told about its own nodes first", Script: `
		c create ~/e flags=1
		c exists ~/e watch
		c close
		c eof`},
	{ID: "S92b", Name: "data, child and parent watches on an ephemeral", Script: `
		c create ~/e flags=1
		w get ~/e watch
		w children ~/e watch
		w children ~ watch
		c close`},
	{ID: "ephemeral-reattach", Name: "ephemerals survive a re-attach", Script: `
		c create ~/e flags=1
		c drop
		d connect session=c
		d exists ~/e
		d ephemerals ~
		d close
		w exists ~/e`},
	{ID: "ephemeral-order", Name: "an ephemeral still in the pipeline goes with its session", Script: `
		w exists ~/e watch
		c & create ~/e flags=1
		c & close
		c flush
		w exists ~/e
		w exists ~`},
	{ID: "ephemeral-seq", Name: "sequential ephemerals", Script: `
		c create ~/l- flags=3
		c create2 ~/l- flags=3
		w get ~/l-0000000001
		c close
		w create ~/l- flags=3`},
	{ID: "ephemeral-perms", Name: "a session's end asks no ACL", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		a create ~/p/e flags=1 acl=0:world:anyone
		a close
		b auth digest u:p
		b children2 ~/p`},
	{ID: "S145", Name: "getEphemerals goes by the beginning of the path", Script: `
		c create ~/c4
		c create ~/c4/e flags=1
		c create ~/x flags=1
		c create ~/c4/plain
		c ephemerals ~/c
		c ephemerals ~/c4/e
		c ephemerals ~/c4/ee
		c ephemerals ~
		c ephemerals nos`},
	{ID: "S146", Name: "getEphemerals of everything", Script: `
		c create ~/a flags=1
		c create ~/b flags=1
		c ephemerals null
		c ephemerals ""
		c ephemerals " "
		c ephemerals /`},
	{ID: "S147", Name: "getEphemerals lists one's own", Script: `
		c create ~/a flags=1
		d create ~/b flags=1
		c ephemerals /
		d ephemerals /
		w ephemerals /`},
	{ID: "ephemeral-recreated", Name: "a node made anew by somebody else outlives the first owner", Script: `
		c create ~/e flags=1
		w delete ~/e
		w create ~/e flags=1
		c ephemerals ~
		c close
		w exists ~/e
		w delete ~/e`},
	{ID: "ephemeral-recreated-plain", Name: "a plain node in an ephemeral's place outlives the session", Script: `
		c create ~/e flags=1
		c delete ~/e
		c create ~/e
		c close
		w exists ~/e`},
	{ID: "ephemeral-failed-multi", Name: "a failing multi leaves no ephemeral behind", Script: `
		c multi create ~/e flags=1 ; delete ~/none
		c ephemerals ~
		w create ~/e
		c close
		w exists ~/e`},
	{ID: "ephemeral-parent", Name: "a parent with an ephemeral child cannot be deleted until it is gone", Script: `
		c create ~/p
		c create ~/p/e flags=1
		w delete ~/p
		c close
		w delete ~/p`},
	{ID: "ephemeral-acl", Name: "setACL and setData keep the owner", Script: `
		a auth digest u:p
		a create ~/e flags=1 acl=31:auth:
		a setacl ~/e acl=1:world:anyone,31:auth:
		a set ~/e "12"
		w get ~/e
		w set ~/e "no"`},
	{ID: "ephemeral-container", Name: "the end of a session empties a container", Script: `
		w container ~/q
		c create ~/q/e flags=1
		c close
		w gone ~/q`},
	{ID: "ephemeral-many", Name: "a session with many ephemerals in many places", AnyOrder: true, Script: `
		c create ~/a
		c create ~/b
		c multi create ~/a/1 flags=1 ; create ~/a/2 flags=1 ; create ~/b/1 flags=1 ; create ~/3 flags=1 ; create ~/b/s- flags=3
		w addwatch ~ 1
		x children ~/a watch
		x children ~/b watch
		c close
		w children2 ~
		w children2 ~/a
		w children2 ~/b`},
}
