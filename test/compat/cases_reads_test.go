package compat

import (
	"fmt"
	"strings"
)

var readCases = []Case{
	{ID: "reads-missing", Name: "reads of what is not there", Script: `
		c get ~/none
		c exists ~/none
		c children ~/none
		c children2 ~/none
		c getacl ~/none
		c count ~/none`},
	{ID: "S148", Name: "getAllChildrenNumber", Script: `
		c create ~/a
		c create ~/a/b
		c create ~/a/b/c
		c create ~/d
		c count ~
		c count ~/a
		c count ~/a/b/c
		c count ~/none`},
	{ID: "S148b", Name: "getAllChildrenNumber asks the node's ACL alone", Script: `
		a auth digest u:p
		a create ~/open
		a create ~/open/p acl=PR
		a create ~/open/p/x
		c count ~/open
		c count ~/open/p
		c count ~/open/p/x`},
	{ID: "S148c", Name: "getAllChildrenNumber goes by components", Script: `
		c create ~/a
		c create ~/a/x
		c create ~/ab
		c create ~/ab/x
		c create ~/a.b
		c count ~/a`},
	{ID: "S204", Name: "children", Script: `
		c create ~/a
		c create ~/b
		c create ~/c "1"
		c create ~/c/d
		c children ~
		c children2 ~
		c children ~/c`},
	{ID: "reads-getacl", Name: "getACL of an open node", Script: `
		c getacl ~
		c create ~/a acl=1:world:anyone,31:ip:127.0.0.1
		c getacl ~/a`},
	{ID: "S151", Name: "reconfig is off by default", Script: `
		c reconfig null null null
		c reconfig "server.1=h:1:2" null null
		c alive`},
	{ID: "reads-sync", Name: "sync echoes and takes no zxid", Alone: true, Script: `
		c create ~/a
		c sync ~/a
		c sync /
		c exists ~/a`},
	{ID: "S202", Name: "a read behind a write shows it", Script: `
		c create ~/a "0"
		c & set ~/a "1"
		c & get ~/a
		c & set ~/a "2"
		c & get ~/a
		c & delete ~/a
		c & exists ~/a
		c & create ~/a "3"
		c & children ~
		c flush`},
	{ID: "reads-many", Name: "some dozens of children", Script: manyChildren(40)},
	{ID: "reads-zxid", Name: "a read's zxid is the last one applied", Alone: true, Script: `
		c create ~/a
		w create ~/b
		c get ~/a
		c set ~/a "1" 9
		w get ~/b
		c whoami
		c ephemerals /
		c count ~
		c multiread get ~/a
		c ping`},
}

func manyChildren(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "c & create ~/n%03d\n", i)
	}
	b.WriteString("c flush\nc children2 ~\nc count ~\n")
	return b.String()
}
