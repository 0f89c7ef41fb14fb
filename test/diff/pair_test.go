package diff

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"zkd/test/realzk"
	"zkd/test/script"
	"zkd/test/zkdserver"
)

// config is read by both servers. Nothing happens in it by itself: the reaper of containers sleeps.
var config = []string{"tickTime=1000", "maxClientCnxns=0", "extendedTypesEnabled=true", "enforceQuota=true",
	"DigestAuthenticationProvider.superDigest=" + script.DigestID("super:secret")}

const reaperMs = "86400000"

// pair is a zkd and a ZooKeeper that have had the same scripts.
type pair struct {
	minor string
	dist  realzk.Distribution
	zkd   *zkdserver.Server
	real  *realzk.Server
	died  int // how often the ZooKeeper did
}

func newPair(minor string) (*pair, error) {
	dist, err := realzk.FindVersion(minor)
	if err != nil {
		return nil, err
	}
	p := &pair{minor: minor, dist: dist}
	return p, p.start()
}

// start brings up two empty servers.
func (p *pair) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var err error
	if p.zkd, err = zkdserver.Start(ctx, config, map[string]string{"znode.container.checkIntervalMs": reaperMs}); err != nil {
		p.zkd = nil
		return err
	}
	p.real, err = realzk.Start(ctx, p.dist, realzk.Options{Config: config, Props: map[string]string{
		"znode.container.checkIntervalMs": reaperMs,
		"zookeeper.forceSync":             "no", // its disk is not under test
	}})
	if err != nil {
		p.real = nil
		p.stop()
	}
	return err
}

// stop ends both and says what zkd did by itself that it should not.
func (p *pair) stop() (trouble string) {
	if p.zkd != nil {
		trouble = p.zkd.Trouble()
		p.zkd.Stop()
	}
	if p.real != nil {
		p.real.Stop()
	}
	p.zkd, p.real = nil, nil
	return trouble
}

// transcripts runs a script on both at once. The root has the same name on both.
func (p *pair) transcripts(lines []string) (real, zkd string) {
	text := strings.Join(lines, "\n")
	o := script.Options{Root: script.NewRoot(), Alone: true, AnyClose: true, EndAll: true}
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
