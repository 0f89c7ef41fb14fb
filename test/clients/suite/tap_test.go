package suite

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadTAP(t *testing.T) {
	got, failed, rest := readTAP(strings.NewReader(`1..4
ok 1 - lock is exclusive
not ok 2 - watch
# want NodeCreated
#   got nothing
ok 3 - reconfig # SKIP needs three servers
ok no number
ok - no number, but a dash
okay, that is talk
`))
	want := []result{
		{name: "lock is exclusive", ok: true},
		{name: "watch", notes: []string{"want NodeCreated", "  got nothing"}},
		{name: "reconfig", ok: true, skip: "needs three servers"},
		{name: "no number", ok: true},
		{name: "no number, but a dash", ok: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if !failed {
		t.Error("a failed result went unnoticed")
	}
	if rest != "1..4\nokay, that is talk\n" {
		t.Errorf("rest is %q", rest)
	}
}
