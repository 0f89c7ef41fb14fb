package compat

import "strings"

// raceCases are about several requests under way at once: of two sessions, of one pipeline, of a session that moves.
// Their scripts show only what does not depend on who was first.
var raceCases = []Case{
	{ID: "race-create", Name: "two sessions create one node", Script: `
		w exists ~/x watch
		c & create ~/x
		d & create ~/x
		c race d
		w exists ~/x`},
	{ID: "race-delete", Name: "two sessions delete one node", Script: `
		w create ~/x
		w get ~/x watch
		c & delete ~/x
		d & delete ~/x
		c race d
		w exists ~`},
	{ID: "race-version", Name: "two sessions change one version", Script: `
		w create ~/x
		c & set ~/x "1" 0
		d & set ~/x "1" 0
		c race d
		w get ~/x`},
	{ID: "race-increments", Name: "two pipelines of changes to one node", Script: `
		w create ~/x
		` + strings.Repeat("c & set ~/x \"1\"\nd & set ~/x \"1\"\n", 20) + `
		c race d
		w get ~/x`},
	{ID: "race-sequence", Name: "two pipelines of sequential nodes", Script: strings.Repeat("c & create ~/s- flags=2\nd & create ~/s- flags=2\n", 5) + `
		c race d
		w children2 ~`},
	{ID: "race-multi", Name: "two multis on one version", Script: `
		w create ~/x
		c & multi check ~/x 0 ; set ~/x "1" ; create ~/y
		d & multi check ~/x 0 ; set ~/x "1" ; create ~/y
		c race d
		w get ~/x
		w children ~`},
	{ID: "race-multi-tree", Name: "two multis that make the same tree", Script: `
		c & multi create ~/p ; create ~/p/x ; create ~/p/x/y
		d & multi create ~/p ; create ~/p/x ; create ~/p/x/y
		c race d
		w count ~
		w exists ~/p`},
	{ID: "race-lock", Name: "two sessions want one ephemeral", Script: `
		w addwatch ~ 1
		c & create ~/lock flags=1
		d & create ~/lock flags=1
		c race d
		w exists ~`},
	{ID: "race-close", Name: "two sessions close at once", Since: "3.9", Script: `
		w addwatch ~ 0
		c create ~/c flags=1
		d create ~/d flags=1
		c & close
		d & close
		c race d
		w children2 ~`},
	{ID: "race-watch", Name: "a persistent watch sees every change of two sessions", Since: "3.9", Script: `
		w create ~/x
		w addwatch ~/x 0
		` + strings.Repeat("c & set ~/x \"1\"\nd & set ~/x \"1\"\n", 5) + `
		c race d
		w get ~/x`},
	{ID: "race-one-shot", Name: "a one-shot watch sees one change of two sessions", Since: "3.9", Script: `
		w create ~/x
		w get ~/x watch
		` + strings.Repeat("c & set ~/x \"1\"\nd & set ~/x \"1\"\n", 5) + `
		c race d
		w checkwatches ~/x 2
		w set ~/x "2"`},
	{ID: "race-children", Name: "two sessions fill one node", Script: strings.Repeat("c & create ~/c- flags=3\nd & create ~/d- flags=3\n", 8) + `
		c race d
		c ephemerals ~/d
		d ephemerals ~/c
		w exists ~
		c close
		d close
		w children2 ~`},
	{ID: "pipeline-watches", Name: "watches and changes of one session in one segment", Since: "3.9", Alone: true, Script: `
		c & exists ~/x watch
		c & create ~/x "0"
		c & get ~/x watch
		c & children ~ watch
		c & set ~/x "1"
		c & set ~/x "2"
		c & exists ~/x watch
		c & delete ~/x
		c & create ~/x "3"
		c & addwatch ~ 1
		c & set ~/x "4"
		c & removewatches ~ 5
		c & delete ~/x
		c flush`},
	{ID: "pipeline-versions", Name: "each request of a pipeline sees those before it", Alone: true, Script: `
		c & create ~/x
		c & set ~/x "1" 0
		c & set ~/x "2" 0
		c & delete ~/x 0
		c & create ~/x/y
		c & delete ~/x 1
		c & delete ~/x/y
		c & delete ~/x 1
		c & create ~/x/y
		c & create ~/x
		c & exists ~/x
		c flush`},
	{ID: "pipeline-sequence", Name: "counters in a pipeline with failures", Script: `
		c & create ~/s- flags=2
		c & create ~/s-0000000001
		c & create ~/s- flags=2
		c & multi create ~/s- flags=2 ; create ~/s- flags=2 ; delete ~/none
		c & create ~/s- flags=2
		c & create ~/s- flags=9
		c & delete ~/s-0000000000
		c & create ~/s- flags=2
		c flush
		c children2 ~`},
	{ID: "pipeline-multis", Name: "multis in a pipeline build on one another", Script: `
		c & multi create ~/p ; create ~/p/a
		c & multi check ~/p 0 ; set ~/p "1" ; delete ~/p/a
		c & multi check ~/p 0 ; delete ~/p
		c & multi check ~/p 1 ; delete ~/p ; create ~/p "2"
		c & multiread get ~/p ; children ~/p ; get ~/p/a
		c flush`},
	{ID: "pipeline-ephemerals", Name: "ephemerals made and closed in one segment", AnyOrder: true, Script: `
		w addwatch ~ 1
		c & create ~/e flags=1
		c & create ~/f flags=1
		c & create ~/e/x
		c & delete ~/f
		c & create ~/g flags=1
		c & create ~/p
		c & ephemerals ~
		c & close
		c flush
		w children2 ~`},
	{ID: "pipeline-broken", Name: "damaged requests in a pipeline take nothing along", Script: `
		c & create ~/x "1"
		c & create ~/y "1" cut=3
		c & set ~/x "2" cut=1
		c & multi create ~/z ; create ~/zz cut=2
		c & get ~/x cut=1
		c & set ~/x "3" junk=7
		c & get ~/x
		c flush
		c children ~`},
	{ID: "pipeline-reattach", Name: "a handshake, watches and requests in one segment", Script: `
		c create ~/x
		c get ~/x watch
		c mark before
		w set ~/x "1"
		w delete ~/x
		w create ~/x
		d & connect session=c
		d & setwatches rel=before data=~/x child=~
		d & get ~/x watch
		d & set ~/x "2"
		d flush
		c eof`},
	{ID: "takeover-applied", Name: "a session moves after its requests were carried out, their replies unread", Script: `
		w create ~/flag
		c & create ~/1
		c & create ~/2 flags=1
		c & set ~/1 "1"
		c & delete ~/flag
		c send
		w gone ~/flag
		d connect session=c
		d children ~
		d ephemerals /
		c drop
		d close
		w children ~`},
	{ID: "takeover-in-flight", Name: "a session moves while requests are under way and goes on", Script: `
		c create ~/x
		` + strings.Repeat("c & set ~/x \"1\"\n", 50) + `
		c send
		d connect session=c
		d create ~/e flags=1
		d create ~/after
		d ephemerals /
		c drop
		d close
		w children ~`},
	{ID: "takeover-often", Name: "a session moves again and again with requests under way", Script: `
		c create ~/e flags=1
		` + strings.Repeat("c & set ~/e \"1\"\n", 10) + `
		c send
		d connect session=c
		` + strings.Repeat("d & set ~/e \"2\"\n", 10) + `
		d send
		f connect session=c
		` + strings.Repeat("f & set ~/e \"3\" 99\n", 3) + `
		f & exists ~/none
		f flush
		c drop
		d drop
		f ephemerals /
		f close
		w exists ~/e`},
	{ID: "takeover-watches", Name: "a session's watches do not move along", Script: `
		c create ~/x
		c get ~/x watch
		c addwatch ~ 1
		d connect session=c
		d checkwatches ~/x 3
		d checkwatches ~ 3
		w set ~/x "1"
		d ping
		c eof`},
	{ID: "takeover-closed", Name: "a session is closed on its new connection with requests under way on the old", Script: `
		c create ~/e flags=1
		` + strings.Repeat("c & create ~/e-\n", 1) + strings.Repeat("c & get ~\n", 20) + `
		c send
		d connect session=c
		d close
		d eof
		c drop
		w exists ~/e
		f connect session=c
		f eof`},
}
