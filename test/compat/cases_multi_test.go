package compat

import (
	"fmt"
	"strings"
)

var multiCases = []Case{
	{ID: "P66", Name: "every kind of result", Since: "3.9", Script: `
		c create ~/x "1"
		c create ~/y
		c multi create ~/a "1" ; create ~/b ; create2 ~/c "333" ; set ~/x "22" ; check ~/x 1 ; delete ~/y
		c get ~/a
		c exists ~/c
		c exists ~/y
		c exists ~`},
	{ID: "P67", Name: "the second fails", Script: `
		c multi create ~/a ; create ~/none/x ; create ~/b ; delete ~/a
		c exists ~/a
		c exists ~`},
	{ID: "P68", Name: "the first fails", Script: `
		c multi delete ~/none ; create ~/a ; set ~/a "1"
		c exists ~/a`},
	{ID: "P68b", Name: "the last fails", Script: `
		c create ~/x "1"
		c multi set ~/x "2" ; create ~/a ; check ~/x 7
		c get ~/x
		c exists ~/a`},
	{ID: "P69", Name: "an empty multi", Script: `
		c multi
		c multiread`},
	{ID: "P70", Name: "reads have no place in a multi", Script: `
		c multi exists ~
		c multi get ~
		c multi children ~
		c multi getacl ~
		c multi setacl ~
		c multi sync ~
		c alive`},
	{ID: "P72", Name: "a read among writes", Script: `
		c multi create ~/a ; get ~
		c multi get ~ ; create ~/a
		c exists ~/a`},
	{ID: "P73", Name: "a multi without its end", Script: `
		c multi create ~/a noend
		c multi noend
		c exists ~/a
		c multiread get ~ noend`},
	{ID: "P73b", Name: "a multi with an unknown or nested operation", Script: `
		c multi raw 99
		c multi create ~/a ; raw 14
		c multi raw -11
		c multi raw 0
		c exists ~/a`},
	{ID: "P74", Name: "a multi with unknown create flags", Since: "3.9", Script: `
		c multi create ~/a flags=9
		c multi create ~/b ; create2 ~/a flags=-1
		c exists ~/b`},
	{ID: "P75", Name: "create with the container flag makes a container in a multi", Script: `
		c multi create ~/a flags=4
		c create ~/a/x
		c delete ~/a/x
		c gone ~/a`},
	{ID: "P76", Name: "create with a TTL flag in a multi", Since: "3.9", Script: `
		c multi create ~/a flags=5
		c multi create2 ~/a flags=6
		c exists ~/a`},
	{ID: "P76b", Name: "containers and TTL nodes in a multi", Since: "3.9", Script: `
		c multi container ~/a ; ttl ~/b ttl=60000 ; ttl ~/c- flags=6 ttl=60000 ; create ~/a/x
		c exists ~/a
		c exists ~/b`},
	{ID: "P77", Name: "a multi without an ACL list", Since: "3.9", Script: `
		c multi create ~/a acl=null
		c multi create ~/a acl=empty
		c multi create ~/a ; create ~/b acl=31:foo:x`},
	{ID: "P78", Name: "multiRead answers each on its own", Script: `
		c create ~/a "1"
		c create ~/a/x
		c multiread get ~/a ; get ~/none ; children ~/a ; children ~/none ; get ~/a/x`},
	{ID: "P79", Name: "multiRead takes no writes and no other reads",
		Either: [2]string{"MarshallingError", "MarshallingError and bytes ffffffff01ffffffff"}, Script: `
		c multiread create ~/a
		c multiread get ~ ; set ~ "1"
		c multiread exists ~
		c multiread children2 ~
		c alive`},
	{ID: "P80", Name: "multiRead leaves no watches", Script: `
		c create ~/a
		w exists ~/other watch
		w multiread get ~/a watch ; children ~/a watch
		c create ~/a/x
		c set ~/a "1"`},
	{ID: "P78b", Name: "multiRead looks at ACLs", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		c multiread get ~/p ; children ~/p ; get ~
		a multiread get ~/p ; children ~/p`},
	{ID: "S131", Name: "later operations see the effect of earlier ones", Script: `
		c multi create ~/p ; create ~/p/c ; delete ~/p/c ; delete ~/p
		c exists ~/p
		c exists ~`},
	{ID: "S132", Name: "a child made in the same multi keeps its parent", Script: `
		c multi create ~/p ; create ~/p/c ; delete ~/p
		c exists ~/p`},
	{ID: "S133", Name: "two setData of one node", Script: `
		c create ~/x
		c multi set ~/x "1" ; set ~/x "22"
		c get ~/x
		c multi set ~/x "3" 2 ; set ~/x "4" 3 ; set ~/x "5" 3
		c get ~/x`},
	{ID: "S134", Name: "check then set", Script: `
		c create ~/x
		c set ~/x "1"
		c multi check ~/x 1 ; set ~/x "2" -1
		c get ~/x`},
	{ID: "S135", Name: "check with a wrong version", Script: `
		c create ~/x
		c set ~/x "1"
		c multi check ~/x 0 ; set ~/x "2" ; create ~/y
		c multi check ~/x -2
		c multi set ~/x "2" ; check ~/x 1
		c get ~/x`},
	{ID: "S136", Name: "check of what is not there", Script: `
		c multi check ~/none -1
		c multi check ~/none 0 ; create ~/a`},
	{ID: "S136b", Name: "check with version -1", Script: `
		c multi check ~ -1 ; check ~ -1
		c multi create ~/a ; check ~/a -1 ; check ~/a 0`},
	{ID: "S137", Name: "check needs READ", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c multi check ~/p -1
		c multi check ~/p 9
		a multi check ~/p 0`},
	{ID: "S138", Name: "no children below an ephemeral of the same multi", Script: `
		c multi create ~/e flags=1 ; create ~/e/x
		c exists ~/e`},
	{ID: "S139", Name: "a one-shot watch sees the first change of a multi", Script: `
		w exists ~/m watch
		c multi create ~/m ; delete ~/m
		c create ~/m`},
	{ID: "S140", Name: "a recursive watch sees every change of a multi", Script: `
		w addwatch ~ 1
		c multi create ~/m ; delete ~/m ; create ~/m "1" ; set ~/m "2"`},
	{ID: "S140b", Name: "a persistent watch sees every change of a multi", Script: `
		w addwatch ~ 0
		c multi create ~/m ; create ~/n ; set ~ "1" ; delete ~/m`},
	{ID: "S141", Name: "a failing multi fires nothing", Script: `
		c create ~/x
		w get ~/x watch
		w children ~ watch
		w addwatch ~ 1
		c multi create ~/a ; set ~/x "1" ; delete ~/none
		c set ~/x "1"`},
	{ID: "S142", Name: "system nodes in a multi", Script: `
		c multi delete /
		c multi create ~/a ; delete /zookeeper/quota`},
	{ID: "S205", Name: "null data in a multi", Script: `
		c multi create ~/a null ; create ~/b empty ; set ~/b null
		c get ~/a
		c get ~/b
		c multiread get ~/a ; get ~/b`},
	{ID: "multi-stats", Name: "each result shows the node as of its operation", Since: "3.9", Script: `
		c create ~/x "1"
		c multi set ~/x "22" ; create ~/x/a ; set ~/x "333" ; create2 ~/x/b ; delete ~/x/a ; set ~/x "4444"
		c exists ~/x
		c exists ~/x/b`},
	{ID: "multi-one-zxid", Name: "all operations of a multi share zxid and time", Since: "3.9", Script: `
		c multi create2 ~/a ; create2 ~/b ; create2 ~/a/c ; set ~/b "1"
		c exists ~/a
		c exists ~/b
		c exists ~/a/c
		c exists ~`},
	{ID: "multi-auth", Name: "auth in the ACLs of a multi", Script: `
		a auth digest u:p
		a multi create ~/a acl=31:auth: ; create ~/b acl=1:auth:,31:world:anyone
		a getacl ~/a
		a getacl ~/b
		c multi create ~/c ; create ~/d acl=31:auth:`},
	{ID: "multi-noauth", Name: "NoAuth in a multi", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		c multi create ~/a ; set ~/p "2"
		c multi create ~/p/x ; create ~/a
		c multi create ~/a ; delete ~/a ; delete ~/p/none
		c exists ~/a`},
	{ID: "multi-versions", Name: "versions inside a multi", Script: `
		c create ~/x
		c multi delete ~/x 1 ; create ~/x
		c multi delete ~/x 0 ; create ~/x "new" ; check ~/x 0
		c get ~/x
		c exists ~`},
	{ID: "multi-ephemeral", Name: "ephemerals made in a multi", Since: "3.9", Script: `
		c multi create ~/e flags=1 ; create ~/s- flags=3 ; create2 ~/t- flags=3
		c ephemerals ~
		w exists ~/e
		c close
		w exists ~/e
		w children ~`},
	{ID: "multi-nonode-parent", Name: "a parent deleted in the same multi", Script: `
		c create ~/p
		c multi delete ~/p ; create ~/p/x
		c exists ~/p`},
	{ID: "multi-session-order", Name: "multis and other requests in one pipeline", Script: `
		c create ~/x
		c & multi set ~/x "1" ; create ~/a
		c & get ~/x
		c & multi create ~/a ; set ~/x "2"
		c & get ~/x
		c & delete ~/a
		c flush`},
	{ID: "multi-many", Name: "a multi of sixty operations", Script: "c multi " + manyOps(60) + `
		c exists ~
		c count ~`},
	{ID: "multi-quota-nodes", Name: "a multi that fails in the middle leaves parents' counters alone", Script: `
		c create ~/p
		c multi create ~/p/a ; create ~/p/b ; delete ~/p/a ; create ~/none/x
		c exists ~/p
		c create ~/p/s- flags=2`},
	{ID: "multi-same-path-twice", Name: "one name created twice", Script: `
		c multi create ~/a ; create ~/a
		c exists ~/a`},
	{ID: "multi-delete-twice", Name: "one node deleted twice", Script: `
		c create ~/a
		c multi delete ~/a ; delete ~/a
		c exists ~/a`},
	{ID: "multi-other-session", Name: "a multi on another session's ephemeral", Script: `
		c create ~/e "1" flags=1
		w multi check ~/e 0 ; set ~/e "2" ; delete ~/e 1
		c exists ~/e
		c ephemerals ~`},
	{ID: "multi-own-watch", Name: "events of one's own multi come before its reply", Script: `
		c get ~ watch
		c exists ~/a watch
		c multi create ~/a ; set ~ "1"`},
	{ID: "multi-flag-mix", Name: "flags of top-level creates inside a multi", Since: "3.9", Script: `
		c multi create2 ~/a flags=0 ; create ~/b flags=1 ; create2 ~/c- flags=2 ; create ~/d- flags=3
		c multi create2 ~/k flags=4
		c ephemerals ~
		c exists ~`},
}

// manyOps makes a node and n−1 children of it.
func manyOps(n int) string {
	ops := []string{"create ~/m"}
	for i := 1; i < n; i++ {
		ops = append(ops, fmt.Sprintf("create ~/m/%d", i))
	}
	return strings.Join(ops, " ; ")
}
