// Command bench runs zkd and a real ZooKeeper under one load generator, and beside them a floor: a server
// without state that answers the same frames with fixed replies. It prints throughput, latency, server CPU
// time per operation, memory and disk writes side by side, with the ratios and the project's targets.
//
//	go run ./test/bench -quick          one short round of the throughput workloads
//	go run ./test/bench                 throughput, fan-out and idle sessions, five rounds
//	go run ./test/bench -full           all parts on one server of each kind, zkd with up to ten million znodes
//	go run ./test/bench -full -huge     the same, and ZooKeeper with as many
//	go run ./test/bench -ensemble       three servers of each kind: throughput, at rest, leader killed
//	go run ./test/bench -servers zkd,floor -ops get:16x16,get:1x1 -rounds 1
//
// The generator is written for a machine whose few cores it shares with the server: one thread serves
// all sessions by epoll, one system call writes or reads many requests, latencies go into fixed
// buckets, and nothing is allocated while it runs. It measures closed loops, in which a request is sent when
// a reply has made room for it, but for the open loop of openload.go. Every reply is checked; a wrong one
// ends the run.
//
// A kind of server is a column (servers.go), a part of a run yields samples (parts.go), and the report
// knows only samples (report.go) and what they are held against (targets.go). Linux only: it reads /proc and uses epoll.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == floorName {
		fmt.Fprintln(os.Stderr, "bench:", serveFloor(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runBench(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// runBench prepares the servers, runs and reports; what was measured before a failure is reported too.
func runBench(ctx context.Context, o *options) (err error) {
	work, err := os.MkdirTemp(o.Dir, "zkd-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if work, err = filepath.Abs(work); err != nil {
		return err
	}
	kinds, err := findKinds(ctx, o, work)
	if err != nil {
		return err
	}
	b := &bench{o: o, kinds: kinds, work: work, log: os.Stderr, report: &report{Servers: o.Servers, Facts: facts(o, kinds)}}
	err = b.run(ctx)
	return errors.Join(err, b.publish(os.Stdout))
}

func findKinds(ctx context.Context, o *options, work string) ([]*kind, error) {
	var kinds []*kind
	for _, name := range o.Servers {
		var k *kind
		var err error
		switch {
		case name == zkdName:
			k, err = zkdKind(ctx, o.ZkdBinary, work, o.Warm)
		case isZooKeeper(name):
			k, err = zookeeperKind(name, o.ZooKeeperHeap, firstWarm*o.ZooKeeperWarm, o.ZooKeeperWarm)
		case name == floorName:
			k, err = floorKind(o.Size)
		default:
			err = fmt.Errorf("unknown server %q (have zookeeper, zookeeper-3.9, zkd, floor)", name)
		}
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}

// publish prints the report and writes the files asked for.
func (b *bench) publish(w io.Writer) error {
	if len(b.report.Samples) == 0 {
		return nil
	}
	b.report.writeDocument(w)
	var errs []error
	for _, out := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{b.o.Markdown, func(w io.Writer) error { b.report.writeDocument(w); return nil }},
		{b.o.JSON, b.report.writeJSON},
	} {
		if out.path == "" {
			continue
		}
		f, err := os.Create(out.path)
		if err == nil {
			err = errors.Join(out.write(f), f.Close())
		}
		errs = append(errs, err)
	}
	if b.o.Charts != "" {
		errs = append(errs, b.report.drawCharts(b.o.Charts))
	}
	return errors.Join(errs...)
}

// facts are what numbers cannot be read without.
func facts(o *options, kinds []*kind) map[string]string {
	var servers []string
	for _, k := range kinds {
		servers = append(servers, strings.TrimSpace(k.name+" "+k.version))
	}
	all := map[string]string{
		"date":       time.Now().UTC().Format(time.DateOnly),
		"machine":    fmt.Sprintf("%d cores, %s, Linux %s", runtime.NumCPU(), cpuModel(), kernelRelease()),
		"Go":         runtime.Version(),
		"JVM":        firstLine(exec.Command("java", "--version")) + ", -Xmx" + o.ZooKeeperHeap,
		"znodes":     fmt.Sprintf("%d bytes of data, %d keys", o.Size, o.Keys),
		"measured":   fmt.Sprintf("%v a measurement, %d round(s), %d generator thread(s)", o.Time, o.Rounds, o.Threads),
		"warm-up":    fmt.Sprintf("zkd %v; zookeeper %v, before the first %v", o.Warm, o.ZooKeeperWarm, firstWarm*o.ZooKeeperWarm),
		"servers":    strings.Join(servers, ", ") + "; default settings, data directories on the same disk",
		"times":      "median (least–most) of the rounds; \"a : b\" is how many times better a is than b",
		"throughput": "the servers run at the same time and are loaded one after the other in each round; who is not loaded is idle",
		"disk":       "bytes by the pages that the server made dirty; a plain loop writes as many bytes as the requests of one of the server's batches, then calls fdatasync",
		"server CPU": "user and system time of the server process by /proc, per operation answered",
	}
	if slices.Contains(o.Servers, floorName) {
		all["floor"] = "a server without state, one thread around epoll, which answers every request with a fixed reply"
	}
	if slices.ContainsFunc(o.Parts, func(p string) bool { return slices.Contains(partNames(partSeveral), p) }) {
		all["ensembles"] = fmt.Sprintf("%d servers on this machine, sessions spread evenly over them; CPU and memory of all added up; "+
			"tickTime=2000, initLimit=10, syncLimit=5; warm-up %d times as long", o.Members, o.Members)
		all["leader killed"] = fmt.Sprintf("kill -9, %d times a round, while each of %d sessions writes every %v; "+
			"a client that lost its connection tries the next server every %v", o.Kills, failoverClients, failoverThink, roamerRetry)
	}
	return all
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}

func kernelRelease() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}

func firstLine(c *exec.Cmd) string {
	out, err := c.Output()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}
