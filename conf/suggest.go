package conf

import "strings"

// nearest returns the known name closest to an unknown one, or "" when none is
// close enough to be what the writer meant.
func nearest(name string) string {
	if len(name) > 80 { // no key is that long; keeps the table below small
		return ""
	}
	lower := strings.ToLower(name)
	best, bestDistance := "", 1+len(name)/4
	for i := range keyTable {
		k := &keyTable[i]
		if k.hush {
			continue
		}
		if d := editDistance(lower, strings.ToLower(k.Name), bestDistance+1); d <= bestDistance && (d < bestDistance || best == "") {
			best, bestDistance = k.Name, d
		}
	}
	return best
}

// editDistance counts insertions, deletions and replacements of bytes between
// a and b, and gives up with limit once the result cannot be below it.
func editDistance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
