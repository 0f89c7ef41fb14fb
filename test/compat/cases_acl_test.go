package compat

var aclCases = []Case{
	{ID: "S26", Name: "create with an empty or no list", Script: `
		c create ~/a acl=empty
		c create ~/a acl=null
		c create2 ~/a acl=empty
		c container ~/a acl=empty
		c ttl ~/a acl=null
		c setacl ~ acl=empty
		c setacl ~ acl=null`},
	{ID: "S27", Name: "create: the list comes before the parent", Script: `
		c create ~/none/x acl=empty
		c create ~/none/x acl=31:foo:x`},
	{ID: "S28", Name: "schemes and ids that are refused", Script: `
		c create ~/a acl=31:foo:x
		c create ~/a acl=31:world:x
		c create ~/a acl=31:world:
		c create ~/a acl=31:digest:x
		c create ~/a acl=31:digest:
		c create ~/a acl=31:super:
		c create ~/a acl=31::x
		c create ~/a acl=31:sasl:x
		c create ~/a acl=31:x509:CN=x
		c create ~/a acl=31:world:anyone,31:foo:x
		c setacl ~ acl=31:foo:x
		c setacl ~ acl=31:world:anyone,31:digest:x`},
	{ID: "S29", Name: "digest ids with too many or too few parts", Script: `
		c create ~/a acl=31:digest:a:b:c
		c create ~/a acl=31:digest:a:
		c create ~/a acl=31:digest::
		c create ~/a acl=31:digest:::`},
	{ID: "S30", Name: "digest ids that pass", Script: `
		c create ~/a acl=31:digest::b
		c create ~/b acl=31:digest:a:b:
		c create ~/c acl=31:digest:a:b,1:world:anyone
		c getacl ~/c`},
	{ID: "S31", Name: "auth without an authenticated identity", Script: `
		c create ~/a acl=31:auth:
		c setacl ~ acl=31:auth:
		c create ~/a acl=31:world:anyone,31:auth:`},
	{ID: "S32", Name: "auth stands for the authenticated identity", Script: `
		a auth digest u:p
		a create ~/a acl=31:auth:whatever
		a getacl ~/a
		c getacl ~/a
		a setacl ~/a acl=1:auth:
		a getacl ~/a`},
	{ID: "S33", Name: "auth with two identities", Script: `
		a auth digest u:p
		a auth digest v:q
		a create ~/a acl=17:auth:
		a getacl ~/a sorted
		a create ~/b acl=1:world:anyone,17:auth:,17:digest:@u:p
		a getacl ~/b sorted`},
	{ID: "S34", Name: "ip ids that are refused", Script: `
		c create ~/a acl=31:ip:1.2.3
		c create ~/a acl=31:ip:1.2.3.4/33
		c create ~/a acl=31:ip:127.0.0.1/
		c create ~/a acl=31:ip:1.2.3.4/-1
		c create ~/a acl=31:ip:1.2.3.256
		c create ~/a acl=31:ip:1.2.3.4.5
		c create ~/a acl=31:ip:localhost
		c create ~/a acl=31:ip:
		c create ~/a acl=31:ip:1.2.3.4/8/8`},
	{ID: "S35", Name: "an ip range that holds the client", Script: `
		c create ~/a "1" acl=31:ip:127.0.0.0/8
		c get ~/a
		c create ~/b "1" acl=31:ip:127.0.0.1
		c get ~/b
		c create ~/d "1" acl=31:ip:127.0.0.1/32
		c get ~/d
		c create ~/e "1" acl=31:ip:127.255.0.0/9
		c get ~/e
		c getacl ~/a`},
	{ID: "S36", Name: "an ip range that does not", Script: `
		c create ~/a "1" acl=31:ip:10.0.0.1/8
		c get ~/a
		c create ~/b "1" acl=31:ip:127.0.0.2
		c get ~/b
		c create ~/d "1" acl=31:ip:127.0.1.0/24
		c get ~/d`},
	{ID: "S37", Name: "the ip range of everybody", Script: `
		c create ~/a "1" acl=31:ip:0.0.0.0/0
		c get ~/a`},
	{ID: "S38", Name: "IPv6 ids", Since: "3.9", Script: `
		c create ~/a "1" acl=31:ip:::1
		c get ~/a
		c create ~/b acl=31:ip:fe80::/10
		c create ~/d acl=31:ip:::1/129
		c create ~/d acl=31:ip:::/0
		c get ~/d
		c create ~/e acl=31:ip:1::2::3`},
	{ID: "S39", Name: "duplicates are stored once", Script: `
		c create ~/a acl=31:world:anyone,1:ip:127.0.0.1,31:world:anyone,1:ip:127.0.0.1,3:ip:127.0.0.1
		c getacl ~/a`},
	{ID: "S40", Name: "unknown permission bits are kept", Script: `
		c create ~/a acl=255:world:anyone
		c getacl ~/a
		c create ~/b acl=-1:world:anyone
		c getacl ~/b`},
	{ID: "S41", Name: "no permission for anyone", Script: `
		c create ~/a "1" acl=0:world:anyone
		c get ~/a
		c getacl ~/a
		c setacl ~/a
		c delete ~/a`},
	{ID: "S42", Name: "a protected node", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		a create ~/p/x acl=PR
		c get ~/p
		c children ~/p
		c children2 ~/p
		c count ~/p
		c getacl ~/p
		c set ~/p "2"
		c setacl ~/p
		c create ~/p/y
		c delete ~/p/x
		c get ~/p/none
		a get ~/p
		a exists ~/p
		a children2 ~/p
		a count ~/p
		a getacl ~/p`},
	{ID: "S43", Name: "getACL hides digests from readers", Script: `
		c create ~/a acl=1:world:anyone,31:digest:bob:secret,1:ip:127.0.0.1
		c getacl ~/a`},
	{ID: "S44", Name: "getACL shows digests to admins", Script: `
		c create ~/a acl=16:world:anyone,31:digest:bob:secret
		c getacl ~/a`},
	{ID: "S45", Name: "a node that may only be read", Script: `
		c create ~/a "1" acl=31:world:anyone
		c create ~/a/x
		c setacl ~/a acl=1:world:anyone
		c get ~/a
		c set ~/a "2"
		c create ~/a/y
		c delete ~/a/x
		c setacl ~/a
		c getacl ~/a
		c set ~/a/x "2"`},
	{ID: "S46", Name: "a node that may only be created under", Script: `
		c create ~/a "1" acl=4:world:anyone
		c create ~/a/x
		c get ~/a
		c children ~/a
		c delete ~/a/x
		c get ~/a/x`},
	{ID: "S47", Name: "a node that may only be deleted under", Script: `
		c create ~/a
		c create ~/a/x
		c create ~/a/y acl=0:world:anyone
		c setacl ~/a acl=8:world:anyone
		c delete ~/a/x
		c delete ~/a/y
		c create ~/a/z`},
	{ID: "S48", Name: "a node that may only be written", Script: `
		c create ~/a "1" acl=2:world:anyone
		c set ~/a "2"
		c get ~/a`},
	{ID: "S42b", Name: "exists needs READ", Since: "3.9", Script: `
		c create ~/a acl=30:world:anyone
		c exists ~/a
		a auth digest u:p
		a create ~/p acl=PR
		c exists ~/p
		a exists ~/p`},
	{ID: "S48b", Name: "a node that may only be administered", Script: `
		c create ~/a "1" acl=16:world:anyone
		c get ~/a
		c getacl ~/a
		c setacl ~/a acl=17:world:anyone
		c get ~/a`},
	{ID: "S48c", Name: "deleting a node needs nothing on the node itself", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c delete ~/p`},
	{ID: "S49", Name: "the superuser may everything", Script: `
		a auth digest u:p
		a create ~/p "1" acl=PR
		a create ~/z "1" acl=0:world:anyone
		s auth digest super:secret
		s get ~/p
		s getacl ~/p
		s set ~/p "2"
		s create ~/p/x
		s delete ~/p/x
		s get ~/z
		s setacl ~/z
		a get ~/z`},
	{ID: "S49b", Name: "a superuser's wrong password is just another digest", Script: `
		c create ~/z "1" acl=0:world:anyone
		s auth digest super:wrong
		s get ~/z
		s whoami`},
	{ID: "S50", Name: "auth of the superuser stores the digest", Script: `
		s auth digest super:secret
		s create ~/a acl=31:auth:
		s getacl ~/a`},
	{ID: "S51", Name: "create: the parent's ACL comes before the existing child", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		a create ~/p/x
		c create ~/p/x`},
	{ID: "S52", Name: "create: the parent's ACL comes before a bad name", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c create "~/p/\u0001"
		a create "~/p/\u0001"`},
	{ID: "S53", Name: "create: a bad list comes before the parent's ACL", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c create ~/p/x acl=empty`},
	{ID: "S54", Name: "delete: the parent's ACL comes before a missing child", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c delete ~/p/none
		a delete ~/p/none`},
	{ID: "S55", Name: "delete: the parent's ACL comes before a wrong version", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		a create ~/p/x
		c delete ~/p/x 9
		a delete ~/p/x 9`},
	{ID: "S68", Name: "setData: the ACL comes before a wrong version", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c set ~/p "1" 9
		a set ~/p "1" 9`},
	{ID: "S73", Name: "setACL: a bad list comes before the ACL", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c setacl ~/p acl=empty`},
	{ID: "S74", Name: "setACL: the ACL comes before a wrong version", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		c setacl ~/p 9
		a setacl ~/p 9`},
	{ID: "acl-lockout", Name: "one can lock oneself out", Script: `
		c create ~/a "1"
		c setacl ~/a acl=0:world:anyone
		c get ~/a
		c setacl ~/a
		s auth digest super:secret
		s setacl ~/a
		c get ~/a`},
	{ID: "acl-own", Name: "an ACL is not inherited", Script: `
		a auth digest u:p
		a create ~/p acl=PR
		a create ~/p/x "1"
		c get ~/p/x
		c set ~/p/x "2"
		c create ~/p/x/y
		c children ~/p`},
	{ID: "acl-any", Name: "one matching entry is enough, and bits add up over entries", Script: `
		c create ~/a "1" acl=1:ip:127.0.0.1,2:world:anyone,31:digest:@u:p
		c get ~/a
		c set ~/a "2"
		c create ~/a/x
		c auth digest u:p
		c create ~/a/x`},
	{ID: "S208", Name: "skipACL opens nodes, not the check of lists", Server: "few", Script: `
		c create ~/z "1" acl=0:world:anyone
		c get ~/z
		c set ~/z "2"
		c getacl ~/z
		c create ~/y acl=empty
		c create ~/y acl=31:foo:x
		c setacl ~/z acl=31:auth:`},
}
