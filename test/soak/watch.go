package soak

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"zkd/test/ensemble"
	"zkd/test/wire"
)

// Look is what was seen of a server at a moment.
type Look struct {
	At          time.Duration
	Alive       bool
	State       string // leader, follower, observer; "" when it does not serve, or does not answer
	Zxid        int64
	Goroutines  int
	Heap        int64
	Connections int
	Disk        int64
	Files       int
	process
}

// watcher looks at every server once a second, from outside. Safe for concurrent use.
type watcher struct {
	servers []*ensemble.Server
	clock   func() time.Duration
	stop    chan struct{}
	done    sync.WaitGroup

	mu    sync.Mutex
	looks map[int][]Look // by id of the server
}

// patienceForWords is how long a look waits for an answer, which a stopped server does not give.
const patienceForWords = 2 * time.Second

func watch(servers []*ensemble.Server, clock func() time.Duration) *watcher {
	w := &watcher{servers: servers, clock: clock, stop: make(chan struct{}), looks: map[int][]Look{}}
	for _, s := range servers {
		w.done.Go(func() { w.follow(s) })
	}
	return w
}

func (w *watcher) follow(s *ensemble.Server) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var disk int64
	var files int
	for n := 0; ; n++ {
		if n%5 == 0 {
			disk, files = usage(s.DataDir())
		}
		l := look(s)
		l.At, l.Disk, l.Files = w.clock(), disk, files
		w.mu.Lock()
		w.looks[s.ID] = append(w.looks[s.ID], l)
		w.mu.Unlock()
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
	}
}

func look(s *ensemble.Server) (l Look) {
	if l.Alive = s.Alive(); !l.Alive {
		return l
	}
	l.process = processOf(s.PID())
	text, err := ask(s, "mntr")
	if err != nil {
		return l
	}
	figures := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			figures[key] = value
		}
	}
	number := func(key string) int64 { n, _ := strconv.ParseInt(figures[key], 0, 64); return n }
	if srvr, err := ask(s, "srvr"); err == nil {
		_, zxid, _ := strings.Cut(srvr, "Zxid: ")
		zxid, _, _ = strings.Cut(zxid, "\n")
		l.Zxid, _ = strconv.ParseInt(zxid, 0, 64)
	}
	l.State = figures["zk_server_state"]
	l.Goroutines = int(number("zk_zkd_goroutines"))
	l.Heap = number("zk_zkd_live_heap_bytes")
	l.Connections = int(number("zk_num_alive_connections"))
	return l
}

func ask(s *ensemble.Server, word string) (string, error) {
	nc, err := s.Dial(patienceForWords)
	if err != nil {
		return "", err
	}
	return wire.NewConn(nc).Words(word, patienceForWords)
}

// all is what was seen until now.
func (w *watcher) all() map[int][]Look {
	w.mu.Lock()
	defer w.mu.Unlock()
	looks := map[int][]Look{}
	for id, list := range w.looks {
		looks[id] = append([]Look(nil), list...)
	}
	return looks
}

// end stops looking.
func (w *watcher) end() {
	close(w.stop)
	w.done.Wait()
}
