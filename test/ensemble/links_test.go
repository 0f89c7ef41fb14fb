package ensemble

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"zkd/test/proc"
	"zkd/test/wire"
)

// Links between all servers lose packets, are slow or narrow. Everything comes later, and nothing is lost or doubled.
func TestBadLinks(t *testing.T) {
	for _, row := range []struct {
		name string
		Rule
	}{
		{"a packet in twenty is lost", Rule{Loss: 0.05}},
		{"30 to 80 ms", Rule{Delay: 30 * time.Millisecond, Jitter: 50 * time.Millisecond}},
		{"100 kB/s", Rule{Rate: 100 << 10}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			network := NewNetwork(t)
			e := Start(t, Options{Network: network})
			l := e.StartLoad(LoadOptions{Clients: 12, Timeout: 30 * time.Second})
			l.AwaitAll(nil)
			quiet := l.Now()
			l.Await(300)
			at := l.Now()
			network.Add(&row.Rule)
			l.Await(100)
			// A follower that comes back with nothing must be able to catch up over such links.
			late := e.AwaitRole(Follower)
			late.Kill()
			e.must(late.Blank())
			l.AwaitAll(nil)
			e.Restart(late)
			l.AwaitAll(nil)
			before, during := l.Latencies(quiet, at, Everyone), l.Latencies(at, l.Now(), Everyone)
			t.Logf("writes: before p50 %v p99 %v, meanwhile p50 %v p99 %v", Quantile(before, 0.5), Quantile(before, 0.99),
				Quantile(during, 0.5), Quantile(during, 0.99))
			network.Heal()
			l.Settle()
			l.Stop()
		})
	}
}

// All connections between servers go dead at once and nobody is told; new ones work.
func TestHalfOpenLinks(t *testing.T) {
	t.Parallel()
	network := NewNetwork(t)
	e := Start(t, Options{Network: network})
	l := e.StartLoad(LoadOptions{Clients: 12, Timeout: 30 * time.Second})
	for range shortOrLong(2, 10) {
		l.AwaitAll(nil)
		at := l.Now()
		network.Add(&Rule{Ports: PeerPorts, Established: true, Loss: 1})
		l.AwaitAll(nil)
		e.AwaitServing(e.Servers...)
		gap := l.Gap(at, l.Now(), Everyone)
		t.Logf("longest time without a completed write: %v", gap)
		if gap > unbearable {
			t.Errorf("a client waited %v", gap)
		}
		network.Heal()
	}
	l.Settle()
	l.Stop()
}

// Every connection between servers is reset, again and again. What they cost is given back.
func TestResetStorm(t *testing.T) {
	t.Parallel()
	network := NewNetwork(t)
	e := Start(t, Options{Network: network})
	l := e.StartLoad(LoadOptions{Clients: 12, Timeout: 30 * time.Second})
	l.Await(300)
	before := held(t, e)
	for range shortOrLong(30, 300) {
		l.Await(3)
		network.Heal()
		network.Add(&Rule{Ports: PeerPorts, Established: true, Reset: true})
	}
	network.Heal()
	l.AwaitAll(nil)
	l.Settle()
	for _, s := range e.Servers {
		var now [2]int
		e.Await(fmt.Sprintf("%v has no more descriptors and goroutines than before the storm, %v", s, before[s]), func() bool {
			now = resources(t, s)
			return now[0] <= before[s][0]+10 && now[1] <= before[s][1]+30
		})
		t.Logf("%v: descriptors and goroutines %v, now %v", s, before[s], now)
	}
	l.Stop()
}

var goroutinesOf = regexp.MustCompile(`(?m)^zk_zkd_goroutines\t(\d+)`)

func held(t *testing.T, e *Ensemble) map[*Server][2]int {
	all := map[*Server][2]int{}
	for _, s := range e.Servers {
		all[s] = resources(t, s)
	}
	return all
}

// resources are a process's descriptors and, of zkd, goroutines.
func resources(t *testing.T, s *Server) (r [2]int) {
	t.Helper()
	files, err := proc.Descriptors(s.PID())
	if err != nil {
		t.Fatal(err)
	}
	r[0] = len(files)
	if text, err := s.Words("mntr"); err == nil {
		if m := goroutinesOf.FindStringSubmatch(text); m != nil {
			r[1], _ = strconv.Atoi(m[1])
		}
	}
	return r
}

// Clients vanish without a word, in the middle of requests. Their sessions end in time and not before, their ephemerals
// go everywhere, and so do the descriptors that their connections had.
func TestVanishedClients(t *testing.T) {
	t.Parallel()
	network := NewNetwork(t)
	e := Start(t, Options{Network: network})
	far := network.Space(t, 100)
	watcher := Open(t, 20*time.Second, e.Servers...)
	watcher.Create("/gone", nil)
	before := held(t, e)
	const clients, timeout = 60, 4 * time.Second
	for i := range clients {
		c := newSession(t, timeout, e.Servers[i%len(e.Servers)])
		c.from = far
		c.CreateEphemeral(fmt.Sprintf("/gone/%d", i), nil)
	}
	last := time.Now()
	network.Add(&Rule{From: []int{far.ID}, Loss: 1}, &Rule{To: []int{far.ID}, Loss: 1})
	Await(t, "all their ephemerals go", func() bool {
		watcher.Sync()
		left := len(watcher.Must(wire.OpGetChildren, wire.PathWatch{Path: "/gone"}).Names)
		if early := time.Since(last); left < clients && early < timeout-2*time.Second {
			t.Fatalf("%d of %d are left after %v, with a timeout of %v", left, clients, early, timeout)
		}
		return left == 0
	})
	t.Logf("gone after %v, with a timeout of %v", time.Since(last), timeout)
	for _, s := range e.Servers {
		e.Await(s.String()+" gives their descriptors back", func() bool { return resources(t, s)[0] <= before[s][0]+10 })
	}
	network.Heal()
	e.CompareReplicas()
}
