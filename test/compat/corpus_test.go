package compat

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zkd/test/quick"
	"zkd/test/realzk"
	"zkd/test/script"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

var update = flag.Bool("update", false, "write testdata from ZooKeeper 3.9")

func TestMain(m *testing.M) {
	quick.LeaveOut()
	// Most cases wait for a server or a clock, so far more of them fit side by side than there are processors.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("24")
	}
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

// A target is a kind of server that the corpus runs against.
type target struct {
	name  string
	minor string // "" is zkd
	start func(context.Context, variant) (script.Server, error)
	one   bool // a server that runs already: there is just the one, as it is
}

func (g target) older(since string) bool {
	if g.minor == "" || since == "" {
		return false
	}
	return !realzk.Distribution{Version: g.minor}.AtLeast(since)
}

// targets are the servers to test, zkd first. The golden files come from the 3.9 among them.
func targets(t *testing.T) []target {
	var v []target
	if os.Getenv("ZKD") != "off" && !*update {
		v = append(v, target{name: "zkd", start: startZkd})
	}
	if addr := os.Getenv("ZK_ADDR"); addr != "" {
		minor, err := runningVersion(addr)
		if err != nil {
			t.Fatal(err)
		}
		return append(v, target{name: "addr", minor: minor, one: true,
			start: func(context.Context, variant) (script.Server, error) { return running(addr), nil }})
	}
	if os.Getenv("ZK_REAL") == "off" {
		return v
	}
	for _, minor := range []string{"3.8", "3.9"} {
		dist, err := realzk.FindVersion(minor)
		if err != nil {
			t.Log(err)
			continue
		}
		if *update && minor != "3.9" {
			continue
		}
		v = append(v, target{name: minor, minor: minor, start: func(ctx context.Context, va variant) (script.Server, error) {
			// Everything a variant leaves out is at ZooKeeper's own default, so realzk's generous ones go.
			props := map[string]string{"zookeeper.4lw.commands.whitelist": "", "zookeeper.extendedTypesEnabled": ""}
			for k, p := range va.Props {
				props[k] = p
			}
			return realzk.Start(ctx, dist, realzk.Options{Config: va.Config, Props: props})
		}})
	}
	return v
}

func startZkd(ctx context.Context, v variant) (script.Server, error) {
	return zkdserver.Start(ctx, v.Config, v.Props)
}

// running is a server that somebody else started.
type running string

func (r running) Addr() string                  { return string(r) }
func (r running) Stop() error                   { return nil }
func (r running) Restart(context.Context) error { return fmt.Errorf("not ours to restart") }

var versionLine = regexp.MustCompile(`ookeeper version: (\d+\.\d+)`)

func runningVersion(addr string) (string, error) {
	text, err := wire.Words(addr, "srvr", 5*time.Second)
	if err != nil {
		return "", fmt.Errorf("ZK_ADDR %s: %w", addr, err)
	}
	m := versionLine.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("ZK_ADDR %s: no version in %q", addr, text)
	}
	return m[1], nil
}

// golden is the expected transcripts of all areas, and in an -update run the new ones.
type golden struct {
	mu    sync.Mutex
	areas map[string]map[string]string
}

func TestCorpus(t *testing.T) {
	g := &golden{areas: map[string]map[string]string{}}
	for _, a := range areas {
		sections, err := readGolden(a.Name)
		if err != nil {
			t.Fatal(err)
		}
		g.areas[a.Name] = sections
	}
	all := targets(t)
	if len(all) == 0 {
		t.Skip("no server to test")
	}
	for _, target := range all {
		t.Run(target.name, func(t *testing.T) { runTarget(t, target, g) })
	}
	if *update {
		for _, a := range areas {
			if err := writeGolden(a, g.areas[a.Name]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// runTarget runs the corpus in three parts: cases that need the shared server for themselves, then those that share
// it, then those with servers of their own.
func runTarget(t *testing.T, target target, g *golden) {
	if target.minor == "" {
		if _, err := zkdserver.Build(); err != nil {
			t.Fatal(err) // once, not once a case
		}
	}
	var shared lazyServer
	defer shared.stop(t)
	get := func(t *testing.T) script.Server { return shared.get(t, target, everything) }
	each(func(a Area, c *Case) {
		if c.Server == "" && c.Alone {
			t.Run(c.ID, func(t *testing.T) { runCase(t, target, g, a, c, get) })
		}
	})
	t.Run("shared", func(t *testing.T) {
		each(func(a Area, c *Case) {
			if c.Server == "" && !c.Alone {
				t.Run(c.ID, func(t *testing.T) {
					t.Parallel()
					runCase(t, target, g, a, c, get)
				})
			}
		})
	})
	if target.one {
		return
	}
	for _, v := range variants {
		t.Run(v.Name, func(t *testing.T) {
			var own lazyServer
			defer own.stop(t)
			each(func(a Area, c *Case) {
				if c.Server == v.Name {
					t.Run(c.ID, func(t *testing.T) {
						runCase(t, target, g, a, c, func(t *testing.T) script.Server { return own.get(t, target, v) })
					})
				}
			})
		})
	}
}

func each(do func(Area, *Case)) {
	for _, a := range areas {
		for i := range a.Cases {
			do(a, &a.Cases[i])
		}
	}
}

func runCase(t *testing.T, target target, g *golden, a Area, c *Case, get func(*testing.T) script.Server) {
	real := target.minor != ""
	if real && !c.asksReal() {
		t.Skip(c.Differs.NoReal)
	}
	if target.older(c.Since) {
		t.Skipf("since %s", c.Since)
	}
	got, err := script.Play(get(t), c.Script, c.options())
	if c.Either[1] != "" {
		got = strings.ReplaceAll(got, c.Either[1], c.Either[0])
	}
	if err != nil {
		t.Fatalf("%s %s\n%s\n%v", c.ID, c.Name, got, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if *update {
		g.areas[a.Name][c.ID] = got
		return
	}
	want, ok := g.areas[a.Name][c.ID]
	switch {
	case !real && c.Differs != nil:
		want = script.Normal(c.Differs.Want)
	case !ok:
		t.Fatalf("no expected transcript in %s; run with -update. Got:\n%s", goldenFile(a.Name), got)
	case target.older("3.9"):
		want = beforeZxids(want)
	}
	if real && script.Normal(got) != script.Normal(want) {
		// ZooKeeper has races of its own, and is not what is under test: it
		// gets a second try, zkd does not.
		t.Logf("%s: another answer than the one on file:\n%s", target.name, script.Diff(script.Normal(want), script.Normal(got)))
		if again, err := script.Play(get(t), c.Script, c.options()); err == nil {
			got = again
			if c.Either[1] != "" {
				got = strings.ReplaceAll(got, c.Either[1], c.Either[0])
			}
		}
	}
	if script.Normal(got) != script.Normal(want) {
		t.Errorf("%s %s\n%s", c.ID, c.Name, script.Diff(script.Normal(want), script.Normal(got)))
	}
}

// lazyServer starts with the first case that needs it, so that -run of one case starts one server.
type lazyServer struct {
	once sync.Once
	srv  script.Server
	err  error
}

func (l *lazyServer) get(t *testing.T, target target, v variant) script.Server {
	l.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		srv, err := target.start(ctx, v)
		if l.err = err; err == nil {
			l.srv = srv
		}
	})
	if l.err != nil {
		t.Fatal(l.err)
	}
	return l.srv
}

func (l *lazyServer) stop(t *testing.T) {
	if l.srv == nil {
		return
	}
	if z, ok := l.srv.(*zkdserver.Server); ok {
		if report := z.Trouble(); report != "" {
			t.Error(report)
		}
	}
	if err := l.srv.Stop(); err != nil {
		t.Error(err)
	}
}
