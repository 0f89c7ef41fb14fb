package diff

import (
	"slices"
	"strings"
	"time"
)

// mostTries and mostTime bound how often a failing script is run to make it smaller, some of whose smaller forms wait
// in vain.
const (
	mostTries = 400
	mostTime  = 4 * time.Minute
)

// shrink returns a smaller script that still fails: first without lines, then with plainer ones.
func shrink(lines []string, legal, fails func([]string) bool) []string {
	tries, start := 0, time.Now()
	try := func(l []string) bool {
		if tries >= mostTries || time.Since(start) > mostTime || !legal(l) {
			return false
		}
		tries++
		return fails(l)
	}
	lines = fewerLines(lines, try)
	for _, simpler := range []func(string) []string{unbatch, plainer} {
		lines = simplerLines(lines, simpler, try)
	}
	return fewerLines(lines, try)
}

// fewerLines leaves out ever smaller pieces, from the end on because most of what follows a difference only shows it
// again.
func fewerLines(lines []string, fails func([]string) bool) []string {
	for size := len(lines) / 2; size > 0; size /= 2 {
		for at := len(lines) - size; at >= 0; at -= size {
			if less := slices.Delete(slices.Clone(lines), at, at+size); fails(less) {
				lines = less
				at = min(at+size, len(lines)) // and once more from here
			}
		}
	}
	return lines
}

func simplerLines(lines []string, simpler func(string) []string, fails func([]string) bool) []string {
	for i := 0; i < len(lines); i++ {
		for _, s := range simpler(lines[i]) {
			less := slices.Clone(lines)
			less[i] = s
			if fails(less) {
				lines = less
				i-- // this line may get simpler still
				break
			}
		}
	}
	return lines
}

// unbatch sends a request by itself; its flush then has nothing left and goes with the next pass.
func unbatch(text string) []string {
	if before, after, ok := strings.Cut(text, " & "); ok {
		return []string{before + " " + after}
	}
	return nil
}

// plainer lists a line's shorter forms: without one option, without one operation of a multi.
func plainer(text string) []string {
	var v []string
	words := strings.Split(text, " ")
	for i := 1; i < len(words); i++ {
		if strings.Contains(words[i], "=") && !strings.Contains(words[i], `"`) || words[i] == "watch" || words[i] == "sorted" {
			v = append(v, strings.Join(slices.Delete(slices.Clone(words), i, i+1), " "))
		}
	}
	for _, verb := range []string{" multi ", " multiread "} {
		head, rest, ok := strings.Cut(text, verb)
		if !ok {
			continue
		}
		ops := strings.Split(rest, " ; ")
		for i := range ops {
			if len(ops) > 1 {
				v = append(v, head+verb+strings.Join(slices.Delete(slices.Clone(ops), i, i+1), " ; "))
			}
		}
	}
	return v
}
