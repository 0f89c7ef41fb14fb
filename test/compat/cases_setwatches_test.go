package compat

import (
	"fmt"
	"strings"
)

var setWatchesCases = []Case{
	{ID: "P103", Name: "catch-up events come before the reply, with zxid -1", Script: `
		c create ~/a
		c mark m
		c set ~/a "1"
		w setwatches rel=m data=~/a
		c set ~/a "2"`},
	{ID: "P104", Name: "setWatches under any xid", Script: `
		w setwatches rel=now data=~ xid=5
		c set ~ "1"`},
	{ID: "S179", Name: "a data watch on an unchanged node", Script: `
		c create ~/a
		w setwatches rel=now data=~/a
		c set ~/a "1"
		c set ~/a "2"`},
	{ID: "S181", Name: "a data watch on a missing node", Script: `
		w setwatches rel=now data=~/none
		c create ~/none`},
	{ID: "S182", Name: "a data watch on a node made anew", Script: `
		c create ~/a
		c mark m
		c delete ~/a
		c create ~/a
		w setwatches rel=m data=~/a`},
	{ID: "S183", Name: "an exists watch on a node that is there", Script: `
		c create ~/a
		w setwatches rel=big exist=~/a
		c set ~/a "1"`},
	{ID: "S184", Name: "an exists watch on a missing node", Script: `
		w setwatches rel=now exist=~/a
		c create ~/a
		c set ~/a "1"`},
	{ID: "S185", Name: "a child watch after a child was deleted", Script: `
		c create ~/a
		c create ~/a/x
		c mark m
		c delete ~/a/x
		w setwatches rel=m child=~/a
		c create ~/a/y`},
	{ID: "S186", Name: "a child watch after a change of data only", Script: `
		c create ~/a
		c create ~/a/x
		c mark m
		c set ~/a "1"
		c set ~/a/x "1"
		c create ~/a/x/deep
		w setwatches rel=m child=~/a
		c create ~/a/y`},
	{ID: "S187", Name: "a child watch on a missing node", Script: `
		w setwatches rel=now child=~/none
		c create ~/none
		c create ~/none/x`},
	{ID: "S188", Name: "data and child watches on a missing node", Script: `
		w setwatches rel=now data=~/none child=~/none`},
	{ID: "S189", Name: "persistent watches get no catch-up", Script: `
		c create ~/a
		c mark m
		c set ~/a "1"
		c create ~/a/x
		w setwatches2 rel=m persistent=~/a,~/none recursive=~/a/x
		c set ~/a "2"
		c set ~/a/x "1"
		c create ~/a/x/y
		c create ~/none`},
	{ID: "S189b", Name: "setWatches2 with all five lists", Since: "3.9", Script: `
		c create ~/a
		c create ~/b
		c mark m
		c set ~/a "1"
		w setwatches2 rel=m data=~/a,~/b exist=~/none,~/a child=~,~/b persistent=~/b recursive=~/b
		c set ~/b "1"
		c create ~/none
		c create ~/b/x`},
	{ID: "setwatches-many", Name: "many watches, some of them stale", Script: `
		c create ~/a
		c create ~/b
		c create ~/c
		c mark m
		c set ~/b "1"
		c delete ~/c
		w setwatches rel=m data=~/a,~/b,~/c exist=~/c,~/d child=~/a,~/c
		c set ~/a "1"
		c create ~/a/x
		c create ~/c
		c create ~/d`},
	{ID: "setwatches-empty", Name: "setWatches of nothing", Alone: true, Script: `
		c create ~/a
		c setwatches rel=0
		c setwatches2 rel=big`},
	{ID: "setwatches-acl", Name: "catch-up events ask no ACL", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		a mark m
		a set ~/p "2"
		w setwatches rel=m data=~/p exist=~/p child=~/p
		a set ~/p "3"
		a create ~/p/x`},
	{ID: "setwatches-zero", Name: "relative to zxid 0 everything is news", Script: `
		c create ~/a
		w setwatches rel=0 data=~/a child=~/a,~`},
	{ID: "S190", Name: "nothing to check or remove", Since: "3.9", Script: `
		c checkwatches ~ 1
		c checkwatches ~ 2
		c checkwatches ~ 3
		c checkwatches ~ 4
		c checkwatches ~ 5
		c removewatches ~ 1
		c removewatches ~ 2
		c removewatches ~ 3
		c removewatches ~ 4
		c removewatches ~ 5
		c checkwatches ~/none 3`},
	{ID: "S190b", Name: "nothing to check or remove, kinds known before 3.9", Script: `
		c checkwatches ~ 1
		c checkwatches ~ 2
		c checkwatches ~ 3
		c removewatches ~ 1
		c removewatches ~ 2
		c removewatches ~ 3`},
	{ID: "P85", Name: "unknown watcher types", Script: `
		c checkwatches ~ 9
		c removewatches ~ 0
		c checkwatches ~ -1
		c removewatches ~ 6
		c alive`},
	{ID: "S191", Name: "check by kind", Since: "3.9", Script: `
		w get ~ watch
		w children ~ watch
		w checkwatches ~ 1
		w checkwatches ~ 2
		w checkwatches ~ 3
		w checkwatches ~ 4
		w checkwatches ~ 5`},
	{ID: "S191b", Name: "check with only one kind there", Since: "3.9", Script: `
		v get ~ watch
		w children ~ watch
		v checkwatches ~ 1
		v checkwatches ~ 2
		v checkwatches ~ 3
		w checkwatches ~ 1
		w checkwatches ~ 2
		w checkwatches ~ 3
		u checkwatches ~ 3`},
	{ID: "S192", Name: "remove one kind", Script: `
		w get ~ watch
		w children ~ watch
		w removewatches ~ 2
		w checkwatches ~ 2
		w checkwatches ~ 1
		c set ~ "1"
		c create ~/x`},
	{ID: "S192b", Name: "remove child watches", Script: `
		w get ~ watch
		w children ~ watch
		w removewatches ~ 1
		w removewatches ~ 1
		c create ~/x
		c set ~ "1"`},
	{ID: "S193", Name: "an exists watch counts as data", Script: `
		w exists ~/none watch
		w checkwatches ~/none 2
		w checkwatches ~/none 1
		w removewatches ~/none 2
		c create ~/none`},
	{ID: "S194", Name: "check of a persistent watch", Since: "3.9", Script: `
		w addwatch ~ 0
		w checkwatches ~ 1
		w checkwatches ~ 2
		w checkwatches ~ 3
		w checkwatches ~ 4
		w checkwatches ~ 5
		w removewatches ~ 5
		w removewatches ~ 4
		w checkwatches ~ 3`},
	{ID: "S195", Name: "check of a recursive watch", Since: "3.9", Script: `
		c create ~/p
		c create ~/p/z
		w addwatch ~/p 1
		w checkwatches ~/p 5
		w checkwatches ~/p 4
		w checkwatches ~/p 3
		w checkwatches ~/p/z 5
		w checkwatches ~/p/z 3
		w removewatches ~/p/z 3
		w removewatches ~/p 5
		c set ~/p "1"`},
	{ID: "S196", Name: "removing a data watch leaves the persistent one", Since: "3.9", Script: `
		w addwatch ~ 0
		w get ~ watch
		w removewatches ~ 2
		c set ~ "1"`},
	{ID: "S196b", Name: "removing the persistent watch leaves the others", Since: "3.9", Script: `
		w addwatch ~ 0
		w addwatch ~ 1
		w get ~ watch
		w children ~ watch
		w removewatches ~ 4
		c set ~ "1"
		c create ~/x
		c create ~/y
		w removewatches ~ 5
		c set ~ "2"`},
	{ID: "S197", Name: "remove any removes all", Since: "3.9", Script: `
		w addwatch ~ 0
		w addwatch ~ 1
		w get ~ watch
		w children ~ watch
		w removewatches ~ 3
		c set ~ "1"
		c create ~/x
		w checkwatches ~ 3`},
	{ID: "S197b", Name: "remove touches one's own watches on that path only", Script: `
		c create ~/x
		v get ~ watch
		w get ~ watch
		w get ~/x watch
		w removewatches ~ 3
		c set ~ "1"
		c set ~/x "1"`},
	{ID: "remove-noauth", Name: "checking and removing ask no ACL", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		w addwatch ~/p 0
		w checkwatches ~/p 3
		w removewatches ~/p 3
		w sync ~/p`},
	{ID: "persistent-replace", Name: "a persistent and then a recursive watch", Since: "3.9", Script: `
		w addwatch ~ 0
		w addwatch ~ 1
		w addwatch ~ 0
		c create ~/x
		c set ~/x "1"
		c set ~ "1"`},
	{ID: "setwatches-fire-once", Name: "watches set by setWatches are one-shot", Script: `
		c create ~/a
		w setwatches rel=now data=~/a exist=~/none child=~/a
		c set ~/a "1"
		c set ~/a "2"
		c create ~/a/x
		c create ~/a/y
		c create ~/none
		c set ~/none "1"`},
	{ID: "setwatches-same", Name: "one path in all lists", Script: `
		c create ~/a
		w setwatches rel=now data=~/a,~/a child=~/a,~/a
		c delete ~/a`},
	{ID: "setwatches-big", Name: "setWatches of a thousand paths", Script: `
		c create ~/n500
		w setwatches rel=now exist=` + manyPaths(1000) + `
		c create ~/n999
		c create ~/n0`},
	{ID: "setwatches-reattach", Name: "a client that comes back and sets its watches again", Script: `
		c create ~/a
		w get ~/a watch
		w children ~ watch
		w drop
		c set ~/a "1"
		v connect session=w
		v setwatches rel=now data=~/a child=~
		c create ~/b
		c set ~/a "2"`},
	{ID: "setwatches-mixed-pipeline", Name: "setWatches in a pipeline with writes", Script: `
		c create ~/a
		c & setwatches rel=now data=~/a
		c & set ~/a "1"
		c & setwatches rel=0 data=~/a
		c & get ~/a
		c flush`},
}

// manyPaths lists n paths that are not there.
func manyPaths(n int) string {
	v := make([]string, n)
	for i := range v {
		v[i] = fmt.Sprintf("~/n%d", i)
	}
	return strings.Join(v, ",")
}
