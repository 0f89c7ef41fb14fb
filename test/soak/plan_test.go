package soak

import (
	"reflect"
	"testing"
	"time"
)

func TestPlansFollowFromSeedAndRound(t *testing.T) {
	kinds := map[Kind]int{}
	standing := 0
	for round := range 200 {
		a := NewPlan(7, round, 4, 3, 30*time.Second)
		if !reflect.DeepEqual(a, NewPlan(7, round, 4, 3, 30*time.Second)) {
			t.Fatalf("round %d has two plans", round)
		}
		if reflect.DeepEqual(a, NewPlan(8, round, 4, 3, 30*time.Second)) {
			t.Fatalf("round %d is the same with another seed", round)
		}
		kinds[a.Before]++
		if a.Standing.Kind != "" {
			standing++
			if a.Standing.Who >= 3 || a.Standing.Who == a.Standing.Other {
				t.Errorf("standing %+v", a.Standing)
			}
		}
		for i, s := range a.Steps {
			kinds[s.Kind]++
			if s.At >= a.Faults || s.For <= 0 || i > 0 && s.At < a.Steps[i-1].At || s.Who == s.Other || len(s.Group) == 0 || len(s.Group) > 3 {
				t.Errorf("round %d step %d: %+v", round, i, s)
			}
		}
	}
	for _, f := range fleeting {
		if kinds[f.kind] == 0 {
			t.Errorf("200 rounds without %q", f.kind)
		}
	}
	if kinds[LoseDisk] == 0 || kinds[Rot] == 0 || kinds[Leave] == 0 || standing == 0 {
		t.Errorf("kinds %v, %d standing", kinds, standing)
	}
}
