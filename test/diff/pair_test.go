package diff

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zkd/test/ensemble"
	"zkd/test/realzk"
	"zkd/test/script"
	"zkd/test/zkdserver"
)

// config is read by both servers. Nothing happens in it by itself: the reaper of containers sleeps, and sessions have
// time enough for an outage of the other side.
var config = []string{"tickTime=1000", "maxClientCnxns=0", "minSessionTimeout=2000", "maxSessionTimeout=120000",
	"extendedTypesEnabled=true", "enforceQuota=true", "4lw.commands.whitelist=*",
	"DigestAuthenticationProvider.superDigest=" + script.DigestID("super:secret")}

const reaperMs = "86400000"

// ensembleTick is what an ensemble has for tickTime: its limits on silence stay long enough for a busy machine.
const ensembleTick = 500 * time.Millisecond

// shape is how many servers stand on each side.
type shape struct{ zkd, real int }

func (s shape) String() string { return fmt.Sprintf("%d:%d", s.zkd, s.real) }

// spread reports whether sessions are on several servers.
func (s shape) spread() bool { return s.zkd > 1 || s.real > 1 }

func parseShape(text string) (s shape, err error) {
	if _, err = fmt.Sscanf(text, "%d:%d", &s.zkd, &s.real); err == nil && (s.zkd < 1 || s.real < 1) {
		err = errors.New("no servers")
	}
	if err != nil {
		err = fmt.Errorf("shape %q: %w", text, err)
	}
	return s, err
}

// pair is a zkd and a ZooKeeper that have had the same scripts.
type pair struct {
	dist      realzk.Distribution
	zkd, real side
}

// newPair brings up two empty sides. They end with the test.
func newPair(t *testing.T, dist realzk.Distribution, s shape) *pair {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	p := &pair{dist: dist}
	props := map[string]string{"znode.container.checkIntervalMs": reaperMs}
	// What zkd loads when it starts again is mostly a snapshot and the log behind it.
	own := append(slices.Clone(config), "snapCount=150")
	if s.zkd > 1 {
		p.zkd = &several{Ensemble: ensemble.Start(t, ensemble.Options{Product: "zkd", Voters: s.zkd, Tick: ensembleTick,
			Config: own[1:], Props: props})}
	} else {
		srv, err := zkdserver.Start(ctx, own, props)
		if err != nil {
			t.Fatal(err)
		}
		p.zkd = &alone{process: srv}
		t.Cleanup(func() { srv.Stop() })
	}
	props = maps.Clone(props)
	props["zookeeper.forceSync"] = "no" // its disk is not under test
	if s.real > 1 {
		p.real = &several{real: true, Ensemble: ensemble.Start(t, ensemble.Options{Product: "zookeeper-" + dist.Minor(),
			Voters: s.real, Tick: ensembleTick, Config: config[1:], Props: props})}
		return p
	}
	srv, err := realzk.Start(ctx, dist, realzk.Options{Config: config, Props: props})
	if err != nil {
		t.Fatal(err)
	}
	p.real = &alone{process: srv, real: true}
	t.Cleanup(func() { srv.Stop() })
	return p
}

// transcripts runs a script on both at once. The root has the same name on both.
func (p *pair) transcripts(lines []string) (real, zkd string) {
	text := strings.Join(lines, "\n")
	o := script.Options{Root: script.NewRoot(), Alone: true, AnyClose: true, EndAll: true}
	if strings.Contains(text, " outage ") {
		o.TimeoutMs = 120000
	}
	var wg sync.WaitGroup
	wg.Go(func() { real = play(p.real, text, o) })
	wg.Go(func() { zkd = play(p.zkd, text, o) })
	wg.Wait()
	real, zkd = even(real), even(zkd)
	if !p.dist.AtLeast("3.9") {
		real, zkd = noEventZxids(real), noEventZxids(zkd)
	}
	return real, zkd
}

// play adds the reason why a script could not go on to what it printed.
func play(srv script.Server, text string, o script.Options) string {
	out, err := script.Play(srv, text, o)
	if err != nil {
		out += fmt.Sprintf("\nfailed: %v\n", err)
	}
	return script.Normal(out)
}

var eventZxid = regexp.MustCompile(`(?m)( event \w+ .+) (z\d+|-1)$`)

// noEventZxids takes away what notifications have had since 3.9 only.
func noEventZxids(text string) string { return eventZxid.ReplaceAllString(text, "$1") }

var spoken = regexp.MustCompile(`^(\w+( or \w+)?: |\d+: |failed: )`)

// even applies the rules to a transcript, step by step.
func even(text string) string {
	var out, said []string
	var step line
	flush := func() {
		for _, r := range rules {
			if r.even != nil && step.text != "" {
				said = r.even(step, said)
			}
		}
		if step.verb == "eof" && len(said) == 1 && said[0] == step.session+": closed" {
			// A ping sent before the connection was cut may have met its end already.
			out, said = out[:len(out)-1], append(said, step.text)
		}
		out = append(out, said...)
		said = nil
	}
	for t := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if spoken.MatchString(t) || t == "" {
			said = append(said, t)
			continue
		}
		flush()
		step = parse(t)
		out = append(out, t)
	}
	flush()
	return strings.Join(out, "\n") + "\n"
}

// serves reports whether a server still answers.
func (p *pair) realServes() bool {
	_, err := script.Play(p.real, "p ping", script.Options{Root: script.NewRoot(), NoRoot: true})
	return err == nil
}
