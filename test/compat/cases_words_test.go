package compat

// watchCounts asks all words that count or list watches.
const watchCounts = `
		c words wchs
		c words wchc sorted
		c words wchp sorted
		c words mntr only=zk_watch_count`

var wordCases = []Case{
	{ID: "P86", Name: "ruok", Script: `
		c words ruok`},
	{ID: "P87", Name: "ruok with a line end", Script: `
		c words "ruok\n"
		c words "ruok\r\n"
		c words "ruokxyz"`},
	{ID: "P87b", Name: "a client that closes its side first gets its answer", Script: `
		c dial
		c bytes "ruok"
		c halfclose
		c text`},
	{ID: "P87c", Name: "a word in two segments", Script: `
		c dial
		c bytes "ru"
		c silent 50
		c bytes "ok"
		c text`},
	{ID: "P88", Name: "words that are not on the list", Server: "empty", Script: `
		c words ruok
		c words mntr
		c words isro
		c words conf`},
	{ID: "P89", Name: "srvr is always there", Server: "empty", Script: `
		c words srvr keys`},
	{ID: "P88b", Name: "a list of some words", Server: "few", Script: `
		c words ruok
		c words isro
		c words stat
		c words srvr keys`},
	{ID: "P90", Name: "what is not a word closes the connection", Script: `
		c words abcd
		c words RUOK
		c words lead
		c words "\xff\xf4\xff\xfd"`},
	{ID: "P91", Name: "after the handshake words are just a bad length", Script: `
		c get ~
		c bytes "ruok"
		c eof
		d connect session=c`},
	{ID: "P92", Name: "isro on a normal server", Script: `
		c words isro`},
	{ID: "P94", Name: "half a word waits", Script: `
		c dial
		c bytes "ru"
		c silent 400`},
	{ID: "words-srvr", Name: "srvr of a single server", Script: `
		c words srvr keys`},
	{ID: "words-conf", Name: "conf", Script: `
		c words conf keys`},
	{ID: "words-gtmk", Name: "the trace mask", Alone: true, Script: `
		c words gtmk
		c words "stmk\x00\x00\x00\x00\x00\x00\x01\x30"
		c words gtmk
		c words "stmk\x00\x00\x00\x00\x00\x00\x01\x32"`},
	{ID: "words-dirs", Name: "dirs", Script: `
		c words dirs keys`},
	{ID: "words-reset", Name: "crst and srst", Alone: true, Script: `
		c words crst
		c words srst`},
	{ID: "words-default", Name: "the words that are answered when the configuration says nothing", Server: "enforced", Script: `
		c words ruok
		c words isro
		c words stat from="Mode:" to="Node count:"
		c words conf`,
		Differs: &Difference{
			Reason: "ruok, isro, stat and mntr are on by default: health checks rely on them, and they change nothing and show no client's data",
			Want: `
		c words ruok
			c: "imok"
		c words isro
			c: "rw"
		c words stat from="Mode:" to="Node count:"
			c: "Mode: standalone\n"
		c words conf
			c: "conf is not executed because it is not in the whitelist.\n"`}},
	{ID: "words-watches", Name: "wchs, wchc and wchp list data watches", Alone: true, Script: `
		c words wchs
		c words wchc
		c words wchp
		w exists ~/a watch
		c words wchs
		c words wchc
		c words wchp
		w children ~ watch
		c words wchs
		w addwatch ~/p 0
		c words wchs`},
	{ID: "words-watch-counts", Name: "one client on one path counts once in each table, whatever kinds of watch it has there", Alone: true, Since: "3.9", Script: `
		c create ~/a
		w exists ~/a watch
		w addwatch ~/a 0
		w addwatch ~/a 1` + watchCounts + `
		w get ~/a watch
		w children ~/a watch
		w addwatch ~/a 0` + watchCounts + `
		v children ~/a watch` + watchCounts + `
		v exists ~/b watch
		v addwatch ~/b 1
		v addwatch ~/c 1
		v addwatch ~/d 0` + watchCounts + `
		c set ~/a x
		c create ~/b` + watchCounts + `
		c create ~/a/x` + watchCounts + `
		w removewatches ~/a 4` + watchCounts + `
		w removewatches ~/a 5` + watchCounts + `
		v removewatches ~/b 5
		v removewatches ~/c 5` + watchCounts + `
		v close` + watchCounts + `
		w close` + watchCounts},
	{ID: "words-watch-gone", Name: "a client whose watches have fired counts as watching until it goes, one that removed its last does not", Alone: true, Since: "3.9", Script: `
		c create ~/a
		w get ~/a watch
		v get ~/a watch
		u children ~/a watch` + watchCounts + `
		v removewatches ~/a 2` + watchCounts + `
		c set ~/a x` + watchCounts + `
		w removewatches ~/a 3` + watchCounts + `
		w addwatch ~/a 1
		w exists ~/a watch` + watchCounts + `
		w removewatches ~/a 2` + watchCounts + `
		w removewatches ~/a 3` + watchCounts + `
		w get ~/a watch
		c delete ~/a` + watchCounts + `
		u close
		w close` + watchCounts},
	{ID: "words-dump", Name: "dump lists ephemerals by session", Alone: true, Script: `
		c create ~/e flags=1
		c words dump from="ephemeral nodes dump:" to="Connections dump:"
		d create ~/f
		c words dump from="Sessions with Ephemerals" to="Connections dump:"`},
	{ID: "words-mntr", Name: "the keys of mntr that tools have always read", Script: `
		c wordhas mntr zk_version zk_avg_latency zk_max_latency zk_min_latency zk_packets_received zk_packets_sent zk_num_alive_connections zk_outstanding_requests zk_server_state zk_znode_count zk_watch_count zk_ephemerals_count zk_approximate_data_size zk_open_file_descriptor_count zk_max_file_descriptor_count zk_uptime zk_global_sessions zk_local_sessions`},
	{ID: "words-envi", Name: "envi", Script: `
		c wordhas envi Environment: zookeeper.version= host.name= os.name= os.arch= os.version= user.name= user.home= user.dir=`},
	{ID: "words-stat", Name: "stat", Script: `
		c wordhas stat "Zookeeper version: " Clients: "Latency min/avg/max: " "Received: " "Sent: " "Connections: " "Outstanding: " "Zxid: 0x" "Mode: standalone" "Node count: "`},
	{ID: "words-nodes", Name: "the node count of srvr", Server: "empty", Script: `
		c words srvr from="Node count:"
		c create /x
		c words srvr from="Node count:"
		c delete /x
		c words srvr from="Mode:"`},
}
