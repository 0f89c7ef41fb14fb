package compat

// randomCases were found by the differential random test (test/diff), or written while it was looked at what it found.
var randomCases = []Case{
	{ID: "R1", Name: "setWatches with a null vector after others: those before it have taken effect", Script: `
		c setwatches rel=0 data=~,~/none child=null
		c setwatches rel=now data=~ exist=null
		c set ~ "1"
		c setwatches2 rel=0 exist=~,~/none persistent=null
		c create ~/none
		c setwatches2 rel=now persistent=~ recursive=null
		c set ~ "2"`},
	{ID: "R2", Name: "setWatches cut short takes no effect", Script: `
		c setwatches rel=0 data=~,~/none cut=1
		c setwatches rel=0 data=~ cut=4
		c setwatches2 rel=0 data=~ persistent=~ cut=8
		c set ~ "1"`},
	{ID: "R3", Name: "a sasl packet with a null token closes the connection", Script: `
		c sasl null
		c eof
		d connect session=c
		d sasl empty`},
	{ID: "R4", Name: "a null id in an ACL takes a zxid", Alone: true, Script: `
		c create ~/n acl=31:digest:null
		c get ~
		c create ~/n acl=31:world:null
		c get ~
		c setacl ~ acl=31:ip:null
		c get ~`},
	{ID: "R5", Name: "a null id in an ACL is found when its turn comes", Script: `
		c create ~/n acl=31:world:null flags=9
		c create foo acl=31:world:null
		c create ~/n acl=31:foo:x,31:world:null
		c create ~/n acl=31:world:null,31:foo:x
		c create ~/n acl=31:world:anyone,31:digest:null
		c create ~/none/n acl=31:ip:null
		c setacl foo acl=31:ip:null
		c setacl ~/none acl=31:ip:null
		c setacl ~ acl=31:foo:x,31:ip:null`},
	{ID: "R6", Name: "a null id in an ACL inside a multi", Script: `
		c multi create ~/n acl=31:world:null
		c multi create ~/a ; create ~/n acl=31:world:null
		c multi delete ~/none ; create ~/n acl=31:world:null
		c exists ~/a`},
	{ID: "R7", Name: "null paths inside a multi", Script: `
		c multi create null
		c multi create2 null
		c multi container null
		c multi ttl null
		c multi delete null
		c multi set null x
		c multi check null
		c multi delete ~/none ; create null
		c multi delete ~/none ; delete null
		c multi create ~/a ; check null
		c multi create null flags=9
		c exists ~/a`},
	{ID: "R8", Name: "modes of createTTL inside a multi that do not exist", Script: `
		c multi ttl ~/c flags=7
		c multi ttl ~/c flags=-1
		c multi ttl ~/c flags=4
		c multi ttl ~/d flags=0
		c multi ttl ~/e flags=2
		c multi ttl ~/f flags=1
		c multi ttl ~/g flags=7 acl=null
		c multi ttl ~/g flags=5 acl=null
		c multi ttl ~/g flags=0 acl=null
		c multi ttl ~/g flags=5 acl=empty
		c multi ttl ~/g flags=5 ttl=0
		c multi create ~/x ; ttl ~/g flags=7
		c children2 ~`},
	{ID: "R9", Name: "null paths and zxids", Alone: true, Script: `
		c get ~
		c create null
		c get ~
		c create null flags=9
		c delete null
		c get ~
		c set null x
		c get ~
		c setacl null
		c get ~
		c multi delete null
		c get ~`},
	{ID: "R10", Name: "null parts among other entries of an ACL", Script: `
		c create ~/n acl=31:null:x,31:world:anyone
		c create ~/n acl=31:world:anyone,1:null:x
		c create ~/n acl=31:foo:x,31:world:anyone,1:world:null
		c create ~/n acl=31:auth:null`},
}
