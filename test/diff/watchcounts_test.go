package diff

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"zkd/test/realzk"
	"zkd/test/script"
)

// TestWatchCounts compares what the words about watches count and list, after every mix of the kinds of watch that some
// clients put on some paths, and take away, or that fire. All of it is one script: a connection that ends is noticed late.
func TestWatchCounts(t *testing.T) {
	dist, err := realzk.FindVersion("3.9")
	if err != nil {
		t.Skip(err)
	}
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	steps := 120
	if *requestsFlag > 0 {
		steps = *requestsFlag
	}
	lines := watchScript(rand.New(rand.NewPCG(seed, 0)), steps)
	real, zkd := newPair(t, dist, shape{1, 1}).transcripts(lines)
	if real != zkd {
		t.Errorf("seed %d differs (- is ZooKeeper %s):\n%s", seed, dist.Version, around(script.Diff(real, zkd)))
	}
}

func watchScript(rng *rand.Rand, steps int) (lines []string) {
	pick := func(v ...string) string { return v[rng.IntN(len(v))] }
	say := func(format string, v ...any) { lines = append(lines, fmt.Sprintf(format, v...)) }
	for range steps {
		who, path := pick("a", "b", "c"), pick("~", "~/a", "~/a/b", "~/c", "~/c")
		switch rng.IntN(12) {
		case 0, 1:
			say("%s exists %s watch", who, path)
		case 2:
			say("%s get %s watch", who, path)
		case 3:
			say("%s %s %s watch", who, pick("children", "children2"), path)
		case 4, 5:
			say("%s addwatch %s %d", who, path, rng.IntN(2))
		case 6, 7:
			say("%s removewatches %s %d", who, path, 1+rng.IntN(5))
		case 8:
			say("%s setwatches2 rel=now data=%s exist=%s child=%s persistent=%s recursive=%s", who, pick("", path), pick("", path),
				pick("", path), pick("", path), pick("", path))
		case 9:
			say("w create %s", pick("~/a", "~/a/b", "~/c"))
		case 10:
			say("w set %s x", path)
		case 11:
			say("w delete %s", pick("~/a", "~/a/b", "~/c"))
		}
		for _, word := range []string{"wchs", "wchc sorted", "wchp sorted", "mntr only=zk_watch_count"} {
			say("w words %s", word)
		}
	}
	return lines
}
