package main

import (
	"testing"
)

func TestQueueKeepsOrderAsItGrows(t *testing.T) {
	var q queue[int]
	in, out := 0, 0
	for round := range 200 {
		for range round % 37 {
			q.push(in)
			in++
		}
		for q.size() > round%11 {
			if v := q.pop(); v != out {
				t.Fatalf("popped %d, want %d", v, out)
			}
			out++
		}
	}
}
