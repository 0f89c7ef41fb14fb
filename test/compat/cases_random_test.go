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
	{ID: "R7", Name: "null paths inside a multi", Since: "3.9", Script: `
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
	{ID: "R9", Name: "null paths and zxids", Since: "3.9", Alone: true, Script: `
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
	{ID: "R11", Name: "malformed text is replaced wherever it is shown again", Script: `
		c sync "~/a\xff\xffb\xc0\x80"
		c sync "~/\xe2\x82"
		c sync "~/\xe2\x82x\xed\xa0\x80"
		c sync "~/\xf0\x9f\x98/\xf0\x9fa\xf5\x80\xf4\x90\x80\x80"
		c setwatches rel=0 data="~/\xff"
		c exists "~/\xff" watch
		c checkwatches "~/\xfe" 2
		c create ~/n acl=31:digest:"u\xff\xff:h"
		c getacl ~/n`},
	{ID: "R12", Name: "malformed text in credentials is replaced before it is hashed", Script: `
		c auth digest "x\xff\xfe:p\xe2\x82"
		c whoami
		c create ~/n acl=31:auth:
		c getacl ~/n
		d auth digest "x\ufffd\ufffd:p\ufffd"
		d get ~/n`},
	{ID: "R13", Name: "text beyond U+FFFF", Script: `
		c sync "~/\U0001f600"
		c create ~/n acl=31:digest:"\U0001f600:h",31:world:anyone
		c getacl ~/n`,
		Differs: &Difference{
			Reason: "ZooKeeper writes characters beyond U+FFFF as two encoded surrogates, which no UTF-8 decoder takes",
			Want: `
		c sync "~/\U0001f600"
			c: ok ~/😀
		c create ~/n acl=31:digest:"\U0001f600:h",31:world:anyone
			c: ok z1 ~/n
		c getacl ~/n
			c: ok [31:digest:😀:h 31:world:anyone] {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=0 owner=0 len=0 children=0}`}},
	{ID: "setacl-in-flight", Name: "a setACL holds for the request behind it in a pipeline", Script: `
		c create ~/p
		c & setacl ~/p acl=PR
		c & create ~/p/x
		c & set ~/p "1"
		c & multi create ~/p/y
		c & get ~/p
		c flush`,
		Differs: &Difference{
			NoReal: "whether it still checks against the list from before is a matter of luck",
			Reason: "no request passes that the list of permissions in force forbids",
			Want: `
		c create ~/p
			c: ok z1 ~/p
		c & setacl ~/p acl=PR
		c & create ~/p/x
		c & set ~/p "1"
		c & multi create ~/p/y
		c & get ~/p
		c flush
			c: ok z2 xid=2 {czxid=z1 mzxid=z1 pzxid=z1 version=0 cversion=0 aversion=1 owner=0 len=0 children=0}
			c: NoAuth z3 xid=3
			c: NoAuth z4 xid=4
			c: ok z5 xid=5
			   0: error NoAuth
			c: NoAuth`}},
	{ID: "R14", Name: "zxids of multis that cannot be decoded", Since: "3.9", Alone: true, Script: `
		c multi create ~/a acl=null
		c get ~
		c multi create2 ~/a acl=null
		c multi container ~/a acl=null
		c get ~
		c multi ttl ~/a acl=null
		c get ~
		c multi create ~/a acl=null ; raw 99
		c get ~
		c multi raw 99 ; create ~/a acl=null
		c get ~
		c multi create ~/a acl=null flags=9
		c get ~
		c multi create null acl=null
		c get ~
		c multi create null
		c get ~
		c multi create ~/a acl=null cut=20
		c get ~
		c multi create ~/a cut=5
		c get ~
		c multi create ~/a flags=9
		c get ~
		c multi create ~/a acl=31:null:x
		c get ~
		c raw 14
		c get ~`},
	{ID: "R15", Name: "limits that are null", Script: withQuota("", `
		c create ~/q/a
		c set /zookeeper/quota~/q/zookeeper_limits null
		c create ~/q/b
		c set ~/q "1"
		c multi create ~/x ; create ~/q/b
		c multi delete ~/none ; create ~/q/b
		c delete ~/q/a`)},
	{ID: "R16", Name: "limits in odd forms", Script: withQuota("countHardLimit=", `
		c create ~/q/a
		c set /zookeeper/quota~/q/zookeeper_limits "countHardLimit==1"
		c create ~/q/a
		c set /zookeeper/quota~/q/zookeeper_limits ",countHardLimit=1"
		c create ~/q/b
		c set /zookeeper/quota~/q/zookeeper_limits "countHardLimit=1,;"
		c create ~/q/c
		c set /zookeeper/quota~/q/zookeeper_limits ";"
		c create ~/q/d
		c set /zookeeper/quota~/q/zookeeper_limits "="
		c create ~/q/e
		c set /zookeeper/quota~/q/zookeeper_limits "=1"
		c create ~/q/f
		c set /zookeeper/quota~/q/zookeeper_limits "countHardLimit=+9"
		c create ~/q/g
		c set /zookeeper/quota~/q/zookeeper_limits "countHardLimit= 9"
		c create ~/q/h
		c set /zookeeper/quota~/q/zookeeper_limits "COUNTHARDLIMIT=1"
		c create ~/q/i
		c delete ~/q/a
		c delete ~/q/c
		c delete ~/q/f
		c delete ~/q/g
		c delete ~/q/i`)},
	{ID: "R17", Name: "containers with the mode of an ephemeral", Since: "3.9", Script: `
		c container ~/a flags=1
		c create ~/a/x
		c multi container ~/b flags=1
		c create ~/b/x
		c multi container ~/d flags=0
		c multi container ~/e flags=3
		c ephemerals /
		c exists ~/b`},
	{ID: "R18", Name: "a multi with null ACLs and TTL modes", Alone: true, Script: `
		c multi create ~/a flags=5 acl=null
		c get ~
		c multi create2 ~/a flags=6
		c get ~
		c multi container ~/a flags=5
		c get ~`},
	{ID: "R19", Name: "the null path is not the empty one to those who watch", Since: "3.9", Script: `
		c addwatch "" 0
		c checkwatches null 3
		c removewatches null 3
		c addwatch null 0
		c checkwatches null 3
		c removewatches "" 3
		c checkwatches "" 3
		c checkwatches null 3
		c removewatches null 3
		c removewatches null 3
		c alive`},
	{ID: "R20", Name: "a null path in a list of setWatches is found when its turn comes", Since: "3.9", Script: `
		c create ~/a
		c setwatches rel=now data=null,~/a
		c setwatches rel=0 data=~/a,null,~
		c setwatches rel=now exist=null
		c setwatches rel=now child=~/a,null,~
		c setwatches rel=now data=~ exist=~/none,null child=~
		c setwatches2 rel=now data=null persistent=~/p
		c checkwatches ~/p 3
		c setwatches2 rel=now persistent=null,~/q recursive=~/r,null
		c checkwatches null 4
		c checkwatches null 5
		c checkwatches ~/q 4
		c checkwatches ~/r 5
		c checkwatches "" 3
		c set ~/a x
		c create ~/a/x
		c set ~ x
		c create ~/none
		c alive`},
	{ID: "R20b", Name: "a null path in setWatches and zxids", Since: "3.9", Alone: true, Script: `
		c get ~
		c setwatches rel=now data=null
		c get ~
		c setwatches2 rel=now persistent=null
		c get ~`},
	{ID: "R21", Name: "null schemes and ids are compared with the entries before them", Script: `
		c auth digest u:p
		c create ~/n acl=31:null:x
		c create ~/n acl=31:null:x,31:world:anyone
		c create ~/n acl=31:world:anyone,31:null:x
		c create2 ~/n acl=31:world:anyone,31:null:x
		c container ~/n acl=31:world:anyone,31:null:x
		c ttl ~/n acl=31:world:anyone,31:null:x
		c setacl ~ acl=31:world:anyone,31:null:x
		c setacl ~ acl=31:world:anyone,30:null:x
		c setacl ~ acl=1:world:anyone,31:null:x,31:foo:x
		c setacl ~ acl=30:null:null,31:null:null
		c setacl ~ acl=31:null:null,31:null:null
		c setacl ~ acl=31:foo:x,31:foo:null
		c setacl ~ acl=31:foo:null,31:foo:x
		c setacl ~ acl=31:auth:x,31:auth:null
		c setacl ~ acl=31:auth:x,1:auth:null
		c setacl ~ acl=31:foo:y,1:world:anyone,31:null:x
		c setacl ~/none acl=31:world:anyone,31:null:x
		c setacl foo acl=31:world:anyone,31:null:x
		c create foo acl=31:world:anyone,31:null:x
		c create ~/none/n acl=31:world:anyone,31:null:x
		c create ~/n flags=9 acl=31:world:anyone,31:null:x
		c multi create ~/n acl=31:world:anyone,31:null:x
		c multi create ~/n acl=31:null:x
		c multi create ~/n ; create2 ~/m acl=31:world:anyone,31:null:x
		c multi delete ~/none ; create2 ~/m acl=31:world:anyone,31:null:x
		c exists ~/n`},
	{ID: "R21b", Name: "null schemes and zxids", Alone: true, Script: `
		c get ~
		c create ~/n acl=31:null:x
		c get ~
		c create ~/n acl=31:world:anyone,31:null:x
		c get ~
		c setacl ~ acl=31:world:anyone,31:null:x
		c get ~
		c multi create ~/n acl=31:world:anyone,31:null:x
		c get ~`},
}
