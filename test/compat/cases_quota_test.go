package compat

import "strings"

// withQuota puts a quota on ~/q in front of a script: limits is the data of its limits node.
func withQuota(limits, script string) string {
	return `
		c create ~/q
		c create /zookeeper/quota~
		c create /zookeeper/quota~/q
		c create /zookeeper/quota~/q/zookeeper_limits "` + limits + `"
		c create /zookeeper/quota~/q/zookeeper_stats "count=0,bytes=0"
		` + strings.TrimSpace(script) + `
		c delete /zookeeper/quota~/q/zookeeper_limits
		c delete /zookeeper/quota~/q/zookeeper_stats
		c delete /zookeeper/quota~/q
		c delete /zookeeper/quota~`
}

var quotaCases = []Case{
	{ID: "S122", Name: "a hard limit of nodes", Script: withQuota("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3", `
		c create ~/q/a
		c create ~/q/b
		c create ~/q/c
		c create ~/q/a
		c create ~/q/none/x
		c delete ~/q/a
		c get /zookeeper/quota~/q/zookeeper_stats
		c create ~/q/c`)},
	{ID: "S123", Name: "a hard limit of bytes", Script: withQuota("count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=-1", `
		c create ~/q/a "0123456789"
		c set ~/q/a "01234567890123456789"
		c set ~/q/a "012345678901234567890"
		c set ~/q/a "012345678901234567890" 7
		c create ~/q/b "1"
		c create ~/q/b
		c set ~/q/a "0"
		c get /zookeeper/quota~/q/zookeeper_stats`)},
	{ID: "S127", Name: "soft limits refuse nothing", Script: withQuota("count=1,bytes=1", `
		c create ~/q/a "0123456789"
		c create ~/q/b "0123456789"
		c get /zookeeper/quota~/q/zookeeper_stats`)},
	{ID: "S126", Name: "the counters of a quota", Script: withQuota("count=100,bytes=1000", `
		c get /zookeeper/quota~/q/zookeeper_stats
		c create ~/q/a "12345"
		c create ~/q/a/b "123"
		c get /zookeeper/quota~/q/zookeeper_stats
		c set ~/q/a "1"
		c set ~/q "1234"
		c get /zookeeper/quota~/q/zookeeper_stats
		c delete ~/q/a/b
		c get /zookeeper/quota~/q/zookeeper_stats
		c create ~/outside "xyz"
		c get /zookeeper/quota~/q/zookeeper_stats`)},
	{ID: "S126b", Name: "a quota put on nodes that are there counts them", Script: `
		c create ~/q "12"
		c create ~/q/a "123"
		c create /zookeeper/quota~
		c create /zookeeper/quota~/q
		c create /zookeeper/quota~/q/zookeeper_limits "count=9,bytes=99"
		c create /zookeeper/quota~/q/zookeeper_stats "count=0,bytes=0"
		c get /zookeeper/quota~/q/zookeeper_stats
		c get /zookeeper/quota~/q/zookeeper_limits`},
	{ID: "S128", Name: "the innermost quota counts alone", Script: withQuota("count=100,bytes=1000", `
		c create ~/q/in
		c create /zookeeper/quota~/q/in
		c create /zookeeper/quota~/q/in/zookeeper_limits "count=100,bytes=1000"
		c create /zookeeper/quota~/q/in/zookeeper_stats "count=0,bytes=0"
		c create ~/q/in/x "12"
		c create ~/q/y "1"
		c get /zookeeper/quota~/q/zookeeper_stats
		c get /zookeeper/quota~/q/in/zookeeper_stats
		c delete /zookeeper/quota~/q/in/zookeeper_limits
		c delete /zookeeper/quota~/q/in/zookeeper_stats
		c delete /zookeeper/quota~/q/in`)},
	{ID: "S129", Name: "counters move without version or event", Script: withQuota("count=100,bytes=1000", `
		w get /zookeeper/quota~/q/zookeeper_stats watch
		w addwatch /zookeeper/quota~/q 1
		c create ~/q/a "123"
		c get /zookeeper/quota~/q/zookeeper_stats`)},
	{ID: "S130", Name: "without limits nothing is counted", Script: `
		c create ~/q
		c create /zookeeper/quota~
		c create /zookeeper/quota~/q
		c create /zookeeper/quota~/q/zookeeper_limits "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=1"
		c create /zookeeper/quota~/q/zookeeper_stats "count=0,bytes=0"
		c create ~/q/a
		c delete /zookeeper/quota~/q/zookeeper_limits
		c create ~/q/a
		c get /zookeeper/quota~/q/zookeeper_stats`},
	{ID: "quota-missing", Name: "a quota on a node that is not there yet", Script: `
		c create /zookeeper/quota~
		c create /zookeeper/quota~/q
		c create /zookeeper/quota~/q/zookeeper_limits "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2"
		c create /zookeeper/quota~/q/zookeeper_stats "count=0,bytes=0"
		c get /zookeeper/quota~/q/zookeeper_stats
		c create ~/q "1"
		c create ~/q/a
		c create ~/q/b
		c get /zookeeper/quota~/q/zookeeper_stats`},
	{ID: "quota-multi", Name: "a hard limit inside a multi", Script: withQuota("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2", `
		c create ~/q/a
		c multi create ~/x ; create ~/q/b
		c exists ~/x
		c multi set ~/q/a "1" ; delete ~/q/a
		c multi create ~/q/a`)},
	{ID: "quota-change", Name: "new limits hold at once", Script: withQuota("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=1", `
		c create ~/q/a
		c set /zookeeper/quota~/q/zookeeper_limits "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2"
		c create ~/q/a
		c create ~/q/b`)},
	{ID: "quota-ephemeral", Name: "ephemerals count and give back", Script: withQuota("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2", `
		e create ~/q/e "12" flags=1
		c create ~/q/f flags=1
		c get /zookeeper/quota~/q/zookeeper_stats
		e close
		c get /zookeeper/quota~/q/zookeeper_stats
		c create ~/q/f flags=1
		c delete ~/q/f`)},
	{ID: "quota-garbage", Name: "limits that cannot be read", Script: withQuota("garbage", `
		c create ~/q/a
		c set ~/q "1"
		c create ~/other
		c delete ~/q/none`)},
	{ID: "quota-count-only", Name: "limits with the hard count alone", Script: withQuota("countHardLimit=2", `
		c create ~/q/a "0123456789"
		c create ~/q/b`)},
	{ID: "quota-no-stats", Name: "hard limits without a node for the usage are not checked", Script: `
		c create ~/q
		c create /zookeeper/quota~
		c create /zookeeper/quota~/q
		c create /zookeeper/quota~/q/zookeeper_limits "count=-1,bytes=-1=;byteHardLimit=3;countHardLimit=0"
		c create ~/q/a
		c create ~/q/b "0123456789"
		c set ~/q/a "0123456789"
		c multi create ~/q/c ; set ~/q/b "0"
		c create /zookeeper/quota~/q/zookeeper_stats
		c get /zookeeper/quota~/q/zookeeper_stats
		c create ~/q/d
		c set ~/q/a "01234567890"
		c delete /zookeeper/quota~/q/zookeeper_stats
		c create ~/q/d "0123456789"`},
	{ID: "quota-part-stats", Name: "usage of which only a part is there", Script: withQuota("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=1", `
		c set /zookeeper/quota~/q/zookeeper_stats ""
		c create ~/q/a "12"
		c get /zookeeper/quota~/q/zookeeper_stats
		c set /zookeeper/quota~/q/zookeeper_stats "count=-7,bytes=-7"
		c create ~/q/b
		c get /zookeeper/quota~/q/zookeeper_stats
		c set ~/q/b "1234"
		c get /zookeeper/quota~/q/zookeeper_stats
		c delete ~/q/a
		c get /zookeeper/quota~/q/zookeeper_stats`)},
	{ID: "quota-garbage-stats", Name: "usage that cannot be read", Script: withQuota("count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=-1", `
		c set /zookeeper/quota~/q/zookeeper_stats garbage
		c create ~/q/a "12"
		c set /zookeeper/quota~/q/zookeeper_stats "count=0,bytes=0"
		c create ~/q/a "12"
		c get /zookeeper/quota~/q/zookeeper_stats`)},
	{ID: "quota-both", Name: "soft and hard limits together", Script: withQuota("count=1,bytes=1=;byteHardLimit=100;countHardLimit=3", `
		c create ~/q/a "0123456789"
		c create ~/q/b
		c create ~/q/c`)},
	{ID: "quota-shrink", Name: "data over the limit may shrink", Script: `
		c create ~/q "0123456789"
		c create /zookeeper/quota~
		c create /zookeeper/quota~/q
		c create /zookeeper/quota~/q/zookeeper_limits "count=-1,bytes=-1=;byteHardLimit=5;countHardLimit=-1"
		c create /zookeeper/quota~/q/zookeeper_stats "count=0,bytes=0"
		c get /zookeeper/quota~/q/zookeeper_stats
		c set ~/q "01234567"
		c set ~/q "01234"
		c set ~/q "0123456"
		c set ~/q null
		c get /zookeeper/quota~/q/zookeeper_stats`},
	{ID: "quota-kinds", Name: "containers, TTL and sequential nodes count", Script: withQuota("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4", `
		c container ~/q/c
		c ttl ~/q/t ttl=60000
		c create ~/q/s- flags=2
		c container ~/q/c2
		c ttl ~/q/t2 ttl=60000
		c create ~/q/s- flags=2
		c create2 ~/q/x
		c get /zookeeper/quota~/q/zookeeper_stats`)},
}
