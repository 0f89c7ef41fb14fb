package main

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the flags of one run.
type options struct {
	Servers           []string      // columns, in order
	ZkdBinary         string        // empty: built from the module
	ZooKeeperHeap     string        // -Xmx
	Parts             []string      // see parts
	Workloads         []string      // see scenarios
	EnsembleWorkloads []string      // of the ensemble part
	Members           int           // servers of an ensemble
	Kills             int           // a round of failover
	Sessions          int           // of a workload without its own
	Depth             int           // outstanding requests a session
	Threads           int           // of the generator
	Size              int           // data bytes a znode
	Keys              int           // znodes to choose from
	MultiOps          int           // setData a multi
	Rounds            int           // of throughput, fan-out, idle and the ensembles
	FillRounds        int           // of fill with restart and snapshot
	Time              time.Duration // of each measurement
	Warm              time.Duration // before each, for zkd
	ZooKeeperWarm     time.Duration // before each, for ZooKeeper; six times that before the first
	Watchers          int
	Idle              int
	Sizes             []int  // numbers of znodes, ascending
	Huge              bool   // ZooKeeper, too, has more than a million
	OpenRate          int    // reads a second of the open loop
	FillMulti         int    // creates a multi; 0: single creates
	Dir               string // where data directories go
	Markdown          string // file
	JSON              string // file
	Charts            string // directory
	Profiles          string // directory, for CPU profiles
}

// Without a flag that says otherwise.
var (
	defaultParts = []string{"throughput", "fanout", "idle"}
	quickParts   = []string{"throughput"}
)

// defaultServers and, for ensembles, a ZooKeeper that a single client cannot bring to a halt: 3.8.0
// may miss that a request was committed and answer it only when another client writes (as ZOOKEEPER-4537
// describes), which on several servers happened within seconds.
const (
	defaultServers         = "zookeeper,zkd,floor"
	defaultEnsembleServers = "zookeeper-3.9,zkd"
)

// firstWarm is how many times longer a ZooKeeper is warmed up before its first measurement.
const firstWarm = 6

// maxMembers is as many as there are addresses for, see newSites.
const maxMembers = 99

const (
	defaultWorkloads = "get,exists,children,get:1x1,exists:1x1,children:1x1,get:1000x1,exists:1000x1,children:1000x1," +
		"set,set:1x1,mixed-90,mixed-50,multi,ephemeral,create-delete,keeper:224x1,create"
	defaultEnsembleWorkloads = "get,set,set:1x1@leader,set:1x1@follower,mixed-90,mixed-50,multi,ephemeral,create-delete,keeper:224x1,create"
)

func parseOptions(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	servers := f.String("servers", defaultServers, "servers to run, in the order of the report's columns (with -ensemble: "+defaultEnsembleServers+")")
	f.StringVar(&o.ZkdBinary, "zkd", "", "zkd binary (default: built from ./cmd/zkd)")
	f.StringVar(&o.ZooKeeperHeap, "zk-heap", "1000m", "ZooKeeper's -Xmx; the default is that of zkServer.sh")
	parts := f.String("parts", strings.Join(defaultParts, ","), "what to run, of "+strings.Join(partNames(anyPart), ","))
	ops := f.String("ops", defaultWorkloads, "workloads of throughput, each name or name:SESSIONSxDEPTH")
	ensembleOps := f.String("ensemble-ops", defaultEnsembleWorkloads, "workloads of ensemble, in the same form or with @leader or @follower behind, which is where all sessions are then")
	f.IntVar(&o.Members, "members", 3, "servers of an ensemble")
	f.IntVar(&o.Kills, "kills", 5, "kills of the leader a round of failover")
	f.IntVar(&o.Sessions, "sessions", 16, "sessions")
	f.IntVar(&o.Depth, "depth", 16, "outstanding requests a session")
	f.IntVar(&o.Threads, "threads", 1, "threads of the generator")
	f.IntVar(&o.Size, "size", 100, "data bytes a znode")
	f.IntVar(&o.Keys, "keys", 1000, "znodes that reads and writes choose from")
	f.IntVar(&o.MultiOps, "multi", 10, "setData operations in a multi")
	f.IntVar(&o.Rounds, "rounds", 5, "rounds; the servers take turns, medians are reported")
	f.IntVar(&o.FillRounds, "fill-rounds", 1, "rounds of fill with what goes on with its znodes")
	f.DurationVar(&o.Time, "time", 1500*time.Millisecond, "length of each measurement")
	f.DurationVar(&o.Warm, "warm", 300*time.Millisecond, "warm-up of zkd before each measurement")
	f.DurationVar(&o.ZooKeeperWarm, "zk-warm", 1500*time.Millisecond, "warm-up of ZooKeeper before each measurement; six times that before the first")
	f.IntVar(&o.Watchers, "watchers", 10_000, "sessions watching one znode, and znodes with ten watchers each, in fanout")
	f.IntVar(&o.Idle, "idle", 10_000, "sessions in idle")
	sizes := f.String("sizes", "1000,100000,1000000", "numbers of znodes of fill, ascending (with -full also 5000000 and 10000000, on zkd)")
	f.BoolVar(&o.Huge, "huge", false, "run ZooKeeper, too, with more than a million znodes; takes 12 GB of memory")
	f.IntVar(&o.OpenRate, "open-rate", 4000, "reads a second of the open loop; of multis it has half as many")
	f.IntVar(&o.FillMulti, "fill-multi", 0, "fill by multis of so many creates; 0: by single creates")
	f.StringVar(&o.Dir, "dir", "", "directory for data (default: the system's temporary one)")
	f.StringVar(&o.Markdown, "md", "", "write the report as Markdown to this file")
	f.StringVar(&o.JSON, "json", "", "write all samples as JSON to this file")
	f.StringVar(&o.Charts, "charts", "", "draw charts into this directory")
	f.StringVar(&o.Profiles, "profiles", "", "write a CPU profile of the servers under each workload to this directory, by perf(1)")
	quick := f.Bool("quick", false, "one short round of throughput, about a minute")
	ensemble := f.Bool("ensemble", false, "the parts on several servers: "+strings.Join(partNames(partSeveral), ", "))
	full := f.Bool("full", false, "all parts on a server alone")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	given := map[string]bool{}
	f.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	o.Servers, o.Parts, o.Workloads, o.EnsembleWorkloads = list(*servers), list(*parts), list(*ops), list(*ensembleOps)
	var err error
	if o.Sizes, err = parseSizes(*sizes); err != nil {
		return nil, err
	}
	if (*full || o.Huge) && !given["sizes"] {
		o.Sizes = everySize
	}
	if *quick {
		o.quick(given)
	}
	if *ensemble && !given["servers"] {
		o.Servers = list(defaultEnsembleServers)
	}
	switch {
	case given["parts"]:
	case *ensemble && *quick:
		o.Parts = partNames(partSeveral)[:1]
	case *ensemble:
		o.Parts = partNames(partSeveral)
	case *full:
		o.Parts = partNames(partAlone)
	}
	return o, o.validate()
}

// quick shortens what was not given.
func (o *options) quick(given map[string]bool) {
	set := func(name string, apply func()) {
		if !given[name] {
			apply()
		}
	}
	set("parts", func() { o.Parts = quickParts })
	set("rounds", func() { o.Rounds = 1 })
	set("time", func() { o.Time = 500 * time.Millisecond })
	set("zk-warm", func() { o.ZooKeeperWarm = 700 * time.Millisecond })
}

func (o *options) validate() error {
	for name, n := range map[string]int{"sessions": o.Sessions, "depth": o.Depth, "threads": o.Threads, "keys": o.Keys,
		"multi": o.MultiOps, "rounds": o.Rounds, "watchers": o.Watchers, "idle": o.Idle, "fill-rounds": o.FillRounds, "open-rate": o.OpenRate / 2, "members": o.Members, "kills": o.Kills} {
		if n < 1 {
			return fmt.Errorf("-%s must be at least 1", name)
		}
	}
	if o.Size < 0 || o.FillMulti < 0 {
		return fmt.Errorf("-size and -fill-multi must not be negative")
	}
	if o.Watchers%fanoutSessions != 0 {
		return fmt.Errorf("-watchers must be a multiple of %d", fanoutSessions)
	}
	if o.Time <= 0 {
		return fmt.Errorf("-time must be positive")
	}
	if o.Members > maxMembers {
		return fmt.Errorf("-members must be at most %d", maxMembers)
	}
	if alone, err := o.scenarios(o.Workloads); err != nil {
		return err
	} else if i := slices.IndexFunc(alone, func(sc scenario) bool { return sc.at != everywhere }); i >= 0 {
		return fmt.Errorf("workload %q: only an ensemble has places", alone[i].name())
	}
	if _, err := o.scenarios(o.EnsembleWorkloads); err != nil {
		return err
	}
	return o.validateParts()
}

// scenarios resolves workloads: "name", "name:SESSIONSxDEPTH", either with "@leader" or "@follower".
func (o *options) scenarios(workloads []string) ([]scenario, error) {
	var all []scenario
	for _, spec := range workloads {
		shaped, at, placed := strings.Cut(spec, "@")
		if placed && place(at) != atLeader && place(at) != atFollowers {
			return nil, fmt.Errorf("workload %q: no place %q (have %s, %s)", spec, at, atLeader, atFollowers)
		}
		name, shape, own := strings.Cut(shaped, ":")
		w, err := findWorkload(name)
		if err != nil {
			return nil, err
		}
		sc := scenario{workload: w, sessions: o.Sessions, depth: o.Depth, at: place(at)}
		if own {
			s, d, _ := strings.Cut(shape, "x")
			var err1, err2 error
			sc.sessions, err1 = strconv.Atoi(s)
			sc.depth, err2 = strconv.Atoi(d)
			if err1 != nil || err2 != nil || sc.sessions < 1 || sc.depth < 1 {
				return nil, fmt.Errorf("workload %q: want name:SESSIONSxDEPTH", spec)
			}
		}
		all = append(all, sc)
	}
	return all, nil
}

// params of one scenario's run.
func (o *options) params(sc scenario, run int) workloadParams {
	return workloadParams{
		Sessions: sc.sessions, Keys: o.Keys,
		MultiOps: o.MultiOps, Run: run, data: payload(o.Size),
	}
}

// parseSizes reads numbers of znodes.
func parseSizes(s string) (all []int, err error) {
	for _, word := range list(s) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 10_000*fillDirSize {
			return nil, fmt.Errorf("-sizes: %q is no number from 1 to %d", word, 10_000*fillDirSize)
		}
		all = append(all, n)
	}
	if len(all) == 0 || !slices.IsSorted(all) {
		return nil, fmt.Errorf("-sizes %q: want numbers, ascending", s)
	}
	return all, nil
}

func list(s string) []string {
	var l []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			l = append(l, p)
		}
	}
	return l
}
