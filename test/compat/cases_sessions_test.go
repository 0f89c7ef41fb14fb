package compat

var sessionCases = []Case{
	{ID: "S93", Name: "a silent session expires without a word", Script: `
		c connect timeout=2000
		c create ~/e flags=1
		w exists ~/e watch
		w gone ~/e
		c expires 2000`},
	{ID: "S95", Name: "the timeout of the latest attach counts", Script: `
		c connect timeout=20000
		c create ~/e flags=1
		d connect session=c timeout=2000
		d expires 2000
		w gone ~/e`},
	{ID: "S93b", Name: "a dropped connection leaves the session to its timeout", Script: `
		c connect timeout=2000
		c create ~/e flags=1
		c drop
		w stays ~/e 1000
		w gone ~/e`},
	{ID: "S93c", Name: "failing requests and reads keep a session alive", Script: `
		c connect timeout=3000
		c create ~/e flags=1
		w get ~
		w stays ~/e 1700
		c get ~/none
		w stays ~/e 1700
		c set ~/e "1" 9
		w stays ~/e 1700
		c get ~/e`},
	{ID: "S93d", Name: "an incomplete frame does not keep a session alive", Script: `
		c connect timeout=2000
		c bytes 00000010 00000001
		c expires 2000`},
	{ID: "S96", Name: "sessions and ephemerals survive a restart", Server: "restart", Script: `
		c create ~/e "1" flags=1
		c create ~/p "2"
		c set ~/p "3"
		c create ~/s- flags=2
		c restart
		d connect session=c
		d get ~/e
		d get ~/p
		d exists ~
		d create ~/s- flags=2
		d close
		w exists ~/e`},
	{ID: "S96b", Name: "everything stored survives a restart", Server: "restart", Script: `
		a auth digest u:p
		a create ~/acl acl=PR
		a create ~/null null
		a container ~/container
		a ttl ~/ttl ttl=60000
		a create ~/gone
		a delete ~/gone
		a setacl ~/null acl=31:auth:,1:world:anyone
		a create ~/s- flags=2
		a close
		w restart
		b exists ~
		b get ~/acl
		b getacl ~/null
		b get ~/null
		b exists ~/container
		b exists ~/ttl
		b create ~/s- flags=2
		b auth digest u:p
		b getacl ~/acl
		b getacl ~/null`},
	{ID: "S96c", Name: "an expired session stays so over a restart", Server: "restart", Script: `
		c create ~/e flags=1
		c close
		d connect session=c
		d eof
		d restart
		e connect session=c
		e eof
		w exists ~/e`},
	{ID: "sessions-two", Name: "two sessions from one client address", Script: `
		c create ~/c flags=1
		d create ~/d flags=1
		c close
		d children ~
		d exists ~/d`},
	{ID: "sessions-close-other", Name: "a session closed on its second connection", Script: `
		c create ~/e flags=1
		d connect session=c
		d close
		d eof
		w exists ~/e
		f connect session=c
		f eof`},
	{ID: "sessions-moves", Name: "a session re-attached many times", Script: `
		c create ~/e flags=1
		d connect session=c
		e connect session=d
		f connect session=e
		f exists ~/e
		c eof
		d eof
		e eof
		f set ~/e "1"`},
	{ID: "sessions-pending", Name: "requests that were under way when the session moved", Script: `
		c create ~/x
		d connect session=c
		c eof
		d & set ~/x "1"
		d & get ~/x
		d flush`},
	{ID: "P95", Name: "more connections from one address than allowed", Server: "few", Script: `
		c1 connect
		c2 connect
		c3 connect
		c4 connect
		c1 alive
		c3 close
		c3 eof`},
	{ID: "S96d", Name: "zxids go on over a restart", Server: "restart", Script: `
		c create ~/a
		c restart
		d create ~/b
		d connect zxid=now
		d exists ~
		d set ~/a "1"`},
	{ID: "S96e", Name: "quotas, counters and multis survive a restart", Server: "restart", Script: `
		c create ~/q
		c multi create ~/q/a "12" ; create ~/q/s- flags=2 ; set ~/q "3" ; delete ~/q/a
		c create /zookeeper/quota~
		c create /zookeeper/quota~/q
		c create /zookeeper/quota~/q/zookeeper_limits "count=9,bytes=99"
		c create /zookeeper/quota~/q/zookeeper_stats "count=0,bytes=0"
		c create ~/q/b "1234"
		c close
		w restart
		d get /zookeeper/quota~/q/zookeeper_stats
		d create ~/q/s- flags=2
		d get /zookeeper/quota~/q/zookeeper_stats
		d children2 ~/q`},
	{ID: "S96f", Name: "a session that is not taken up again after a restart expires", Server: "restart", Script: `
		c connect timeout=2000
		c create ~/e flags=1
		c restart
		w gone ~/e`},
}
