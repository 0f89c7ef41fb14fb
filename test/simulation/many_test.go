package simulation

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"
)

var (
	workers = flag.Int("sim.workers", 0, "run -sim.seeds seeds in so many processes with one processor each")
	enough  = flag.Duration("sim.for", 0, "with -sim.workers, begin no more seeds after this; 0 runs them all")
	keep    = flag.String("sim.out", "", "where the logs of failed runs of -sim.workers go; a temporary folder by default")
)

// chunk is how many seeds a process runs: what it leaks, or a crash, costs no more than these.
const chunk = 5

// TestMany runs many seeds in processes of one processor each, which is faster than goroutines on several, and goes on
// when one fails, crashes or hangs.
func TestMany(t *testing.T) {
	if *workers == 0 {
		t.Skip("for make simulate: -sim.workers is 0")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if *keep == "" {
		if *keep, err = os.MkdirTemp("", "zkd-simulation-"); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(*keep, 0o700); err != nil {
		t.Fatal(err)
	}
	list := seedList()
	fmt.Printf("%d seeds from %d on, commit %s, logs of failed runs in %s\n", len(list), list[0], commit(), *keep)
	m := &many{began: time.Now(), seeds: len(list)}
	chunks := make(chan []uint64)
	var all sync.WaitGroup
	for range *workers {
		all.Go(func() {
			for c := range chunks {
				m.runAll(self, c)
			}
		})
	}
	for len(list) > 0 && (*enough == 0 || time.Since(m.began) < *enough) {
		n := min(chunk, len(list))
		chunks <- list[:n]
		list = list[n:]
	}
	close(chunks)
	all.Wait()
	fmt.Println(m)
	_ = os.Remove(*keep) // only if nothing is in it
	if len(m.failed) > 0 {
		t.Errorf("seeds that failed: %v; go test ./test/simulation -run TestSeeds -sim.seed N -v", m.failed)
	}
}

// many is what came of many seeds.
type many struct {
	began time.Time
	seeds int

	mu      sync.Mutex
	done    int
	virtual time.Duration
	writes  int
	failed  []uint64
	told    time.Time
}

// resultLine is what a process says of a seed.
const resultLine = "simulated seed %d virtual %d writes %d"

var result = regexp.MustCompile(`^simulated seed (\d+) virtual (\d+) writes (\d+)`)

// runAll runs seeds in one process after the other, until all are done: a process that crashes does the first of them.
func (m *many) runAll(self string, list []uint64) {
	for len(list) > 0 {
		n := m.runSome(self, list)
		if n < len(list) {
			n++ // the one that crashed or hung
		}
		list = list[n:]
	}
}

// runSome returns how many seeds a process got through.
func (m *many) runSome(self string, list []uint64) (n int) {
	cmd := exec.Command(self, "-test.run", "^TestSeeds$", "-test.timeout", "0", "-sim.first", strconv.FormatUint(list[0], 10), "-sim.seeds", strconv.Itoa(len(list)))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400")
	var text bytes.Buffer
	out, in, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	in.Close()
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		text.WriteString(line)
		if f := result.FindStringSubmatch(line); f != nil {
			virtual, _ := strconv.ParseInt(f[2], 10, 64)
			writes, _ := strconv.Atoi(f[3])
			m.add(time.Duration(virtual), writes, text.Bytes(), list[n])
			text.Reset()
			n++
		}
		if err != nil {
			if err != io.EOF {
				panic(err)
			}
			break
		}
	}
	out.Close()
	_ = cmd.Wait() // what it said of each seed counts
	if n < len(list) {
		m.fail(list[n], text.Bytes())
	}
	return n
}

func (m *many) add(virtual time.Duration, writes int, text []byte, seed uint64) {
	m.mu.Lock()
	m.done++
	m.virtual += virtual
	m.writes += writes
	if time.Since(m.told) > 10*time.Second {
		m.told = time.Now()
		fmt.Println(m.stringLocked())
	}
	m.mu.Unlock()
	if bytes.Contains(text, []byte("FAILED: ")) {
		m.fail(seed, text)
	}
}

func (m *many) fail(seed uint64, text []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed = append(m.failed, seed)
	path := filepath.Join(*keep, fmt.Sprintf("seed-%d.log", seed))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("FAILED: seed %d, see %s\n", seed, path)
}

func (m *many) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stringLocked()
}

func (m *many) stringLocked() string {
	took := time.Since(m.began)
	return fmt.Sprintf("%d of %d seeds, %.1f virtual hours, %d acknowledged writes, %d failed; %v, %.0f seeds a minute",
		m.done, m.seeds, m.virtual.Hours(), m.writes, len(m.failed), took.Round(time.Second), float64(m.done)/took.Minutes())
}

// commit is what is tested.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return string(bytes.TrimSpace(out))
}
