package main

import (
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	for _, args := range [][]string{{"-parts", "restart"}, {"-ops", "nonsense"}, {"-ops", "get:0x1"}, {"-rounds", "0"}, {"-parts", "x"},
		{"-sizes", "1000,100"}, {"-sizes", "0"}, {"-sizes", ""}, {"-sizes", "10000001"}, {"-watchers", "150"}, {"-open-rate", "1"},
		{"-ops", "set@leader"}, {"-ensemble-ops", "set@observer"}, {"-ensemble", "-members", "2"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
	o, err := parseOptions([]string{"-quick", "-rounds", "2", "-ops", "get:1x2"})
	if err != nil || o.Rounds != 2 || o.Time != 500*time.Millisecond || len(o.Parts) != 1 {
		t.Fatalf("options %+v, %v", o, err)
	}
	if sc, _ := o.scenarios(o.Workloads); sc[0].name() != "get 1×2" {
		t.Errorf("scenario %q", sc[0].name())
	}
	o, err = parseOptions([]string{"-ensemble", "-ensemble-ops", "set:1x1@follower"})
	if err != nil || len(o.Parts) != len(partNames(partSeveral)) || o.Servers[0] == zookeeperName {
		t.Fatalf("options %+v, %v", o, err)
	}
	if sc, _ := o.scenarios(o.EnsembleWorkloads); sc[0].name() != "set 1×1 on follower" {
		t.Errorf("scenario %q", sc[0].name())
	}
	for want, args := range map[int][]string{3: nil, 5: {"-full"}, 2: {"-full", "-sizes", "10,20"}} {
		if o, err := parseOptions(args); err != nil || len(o.Sizes) != want {
			t.Errorf("%v: sizes %v, %v", args, o.Sizes, err)
		}
	}
	if o, err := parseOptions([]string{"-full"}); err != nil || len(o.Parts) != len(partNames(partAlone)) {
		t.Errorf("full: %+v, %v", o, err)
	}
}
