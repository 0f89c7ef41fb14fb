package member

import (
	"slices"
	"testing"
)

func TestDifferences(t *testing.T) {
	file := mustParse(t, "server.1=a:1:2:participant;3\nserver.2=b:1:2:participant\nserver.3=c:1:2:participant\nserver.5=e:1:2:participant")
	agreed := mustParse(t, "server.1=a:1:2:participant;3\nserver.2=b:1:7|bb:1:2:observer;0.0.0.0:4\nserver.3=c:1:2:participant;;c:9\nserver.4=d:1:2:participant")
	want := []string{
		"server.2: address is b:1:2 in zoo.cfg, agreed is b:1:7|bb:1:2",
		"server.2: role is participant in zoo.cfg, agreed is observer",
		"server.2: client address is not given in zoo.cfg, agreed is 0.0.0.0:4",
		"server.3: secure client address is not given in zoo.cfg, agreed is c:9",
		"server.4=d:1:2:participant is not in zoo.cfg",
		"server.5=e:1:2:participant is no member",
	}
	if got := Differences(file, agreed); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := Differences(file, file); len(got) > 0 {
		t.Errorf("it differs from itself: %q", got)
	}
}
