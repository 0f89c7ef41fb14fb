package ensemble

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Check compares a history with what was there in the end, and returns every broken promise. The names in the
// messages are those of the checks below, so that tests can tell them apart.
func Check(writes []Write, final Final) (errs []error) {
	counters, parents := map[string][]Write{}, map[string][]Write{}
	for _, w := range writes {
		if w.Kind == Increment {
			counters[w.Key] = append(counters[w.Key], w)
		} else {
			parents[w.Key] = append(parents[w.Key], w)
		}
	}
	for key, list := range counters {
		errs = append(errs, checkCounter(key, list, final.Counters[key])...)
	}
	for key, list := range parents {
		errs = append(errs, checkAppends(key, list, final.Children[key])...)
	}
	return append(errs, checkOrder(writes)...)
}

// checkCounter: every version up to the last was made by exactly one write, an acknowledged one or one of unknown
// outcome, and every acknowledged one made its version.
func checkCounter(key string, writes []Write, final Counter) (errs []error) {
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(key+": "+format, args...)) }
	made := map[int32]Write{}
	maybe := map[int32][]Write{}
	for _, w := range writes {
		switch {
		case w.Outcome == Unknown:
			maybe[w.Expect+1] = append(maybe[w.Expect+1], w)
		case w.Outcome == Refused && w.Alone:
			say("refused: %s was refused at version %d, which nobody else can have changed", w.Mark(), w.Expect)
		case w.Outcome == Acknowledged:
			if other, twice := made[w.Version]; twice {
				say("double: version %d was acknowledged to %s and to %s", w.Version, other.Mark(), w.Mark())
			}
			if w.Version != w.Expect+1 {
				say("double: %s at version %d made version %d", w.Mark(), w.Expect, w.Version)
			}
			if w.Version > final.Version {
				say("lost: %s was acknowledged as version %d; the last is %d", w.Mark(), w.Version, final.Version)
			}
			made[w.Version] = w
		}
	}
	for v := int32(1); v <= final.Version; v++ {
		if _, ok := made[v]; !ok && len(maybe[v]) == 0 {
			say("phantom: version %d was made by no write that is known", v)
		}
	}
	if final.Version > 0 {
		if w, ok := made[final.Version]; ok {
			if w.Mark() != final.Data {
				say("lost: it holds %q; version %d was acknowledged to %s", final.Data, final.Version, w.Mark())
			}
		} else if !slices.ContainsFunc(maybe[final.Version], func(w Write) bool { return w.Mark() == final.Data }) {
			say("phantom: version %d holds %q, which nobody wrote there", final.Version, final.Data)
		}
	}
	return errs
}

// checkAppends: every acknowledged child is there, no write made two, nothing refused made one, and the children of a
// writer are in the order in which it sent them.
func checkAppends(key string, writes []Write, children map[string]string) (errs []error) {
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(key+": "+format, args...)) }
	byMark := map[string]Write{}
	for _, w := range writes {
		byMark[w.Mark()] = w
		if w.Outcome == Acknowledged {
			if data, there := children[w.Path]; !there {
				say("lost: %s was acknowledged as %s, which is not there", w.Mark(), w.Path)
			} else if data != w.Mark() {
				say("lost: %s was acknowledged as %s, which holds %q", w.Mark(), w.Path, data)
			}
		}
	}
	paths := make([]string, 0, len(children))
	for p := range children {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	seen := map[string]string{}
	last := map[int]Write{}
	for _, p := range paths {
		mark := children[p]
		w, known := byMark[mark]
		switch {
		case !known:
			say("phantom: %s holds %q, which nobody wrote", p, mark)
			continue
		case seen[mark] != "":
			say("double: %s made %s and %s", mark, seen[mark], p)
		case w.Outcome == Refused:
			say("phantom: %s was refused and made %s", mark, p)
		case last[w.Worker].N > w.N:
			say("order: %s made %s after %s of the same session", mark, p, last[w.Worker].Mark())
		}
		seen[mark], last[w.Worker] = p, w
	}
	return errs
}

// number is what the server appended to a name.
func number(path string) int64 {
	n, err := strconv.ParseInt(path[max(0, len(path)-10):], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// checkOrder: no two writes have one zxid, and a write that was answered before another was sent has the smaller one,
// whoever sent them (linearizable writes).
func checkOrder(writes []Write) (errs []error) {
	var acked []Write
	for _, w := range writes {
		if w.Outcome == Acknowledged {
			acked = append(acked, w)
		}
	}
	slices.SortFunc(acked, func(a, b Write) int { return cmp.Compare(a.Zxid, b.Zxid) })
	// Going down from the highest zxid, earliest is the first return of all that come later in zxid order.
	for i := len(acked) - 1; i > 0; i-- {
		a, b := acked[i-1], acked[i]
		if a.Zxid == b.Zxid {
			errs = append(errs, fmt.Errorf("order: %s and %s have zxid %#x", a.Mark(), b.Mark(), a.Zxid))
		}
	}
	var earliest *Write
	for i := len(acked) - 1; i >= 0; i-- {
		w := &acked[i]
		if earliest != nil && earliest.Return < w.Call {
			errs = append(errs, fmt.Errorf("order: %s (zxid %#x) was answered before %s (zxid %#x) was sent",
				earliest.Mark(), earliest.Zxid, w.Mark(), w.Zxid))
		}
		if earliest == nil || w.Return < earliest.Return {
			earliest = w
		}
	}
	return errs
}

// CheckHolds finds two clients that held a lock at once, and fences that do not rise from holder to holder.
func CheckHolds(holds []Hold) (errs []error) {
	sorted := slices.Clone(holds)
	slices.SortFunc(sorted, func(a, b Hold) int { return cmp.Compare(a.From, b.From) })
	for i := 1; i < len(sorted); i++ {
		a, b := sorted[i-1], sorted[i]
		if b.From < a.To {
			errs = append(errs, fmt.Errorf("lock: %s held it from %v to %v, %s from %v to %v", a.Who, a.From, a.To, b.Who, b.From, b.To))
		}
		if b.Fence <= a.Fence {
			errs = append(errs, fmt.Errorf("lock: fence %#x of %s comes after %#x of %s", b.Fence, b.Who, a.Fence, a.Who))
		}
	}
	return errs
}
