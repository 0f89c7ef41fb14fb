package jute

import "testing"

func TestHotPathDoesNotAllocate(t *testing.T) {
	pathWatch := AppendBool(AppendString(nil, "/some/path"), true)
	pathVersion := AppendInt32(AppendString(nil, "/some/path"), 3)
	setData := appendSetData(nil, &SetDataRequest{Path: "/some/path", Data: make([]byte, 100)})
	stat := AppendStat(nil, &Stat{Version: 1})
	buf := make([]byte, 0, 4096)
	var sum int
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"decode PathWatch", func() { r := NewReader(pathWatch); sum += len(DecodePathWatch(&r).Path) }},
		{"decode PathVersion", func() { r := NewReader(pathVersion); sum += len(DecodePathVersion(&r).Path) }},
		{"decode PathInt", func() { r := NewReader(pathVersion); sum += len(DecodePathInt(&r).Path) }},
		{"decode SetData", func() { r := NewReader(setData); sum += len(DecodeSetData(&r).Data) }},
		{"decode Stat", func() { r := NewReader(stat); s := DecodeStat(&r); sum += int(s.Version) }},
		{"append Stat", func() { s := Stat{Version: 1}; sum += len(AppendStat(buf[:0], &s)) }},
		{"append reply header", func() { sum += len(EndReply(BeginReply(buf[:0], 1, 2, OK), 0)) }},
		{"append event", func() { sum += len(AppendEvent(buf[:0], 1, EventNodeCreated, "/some/path")) }},
		{"append multi result", func() { sum += len(AppendMultiEnd(AppendMultiError(buf[:0], ErrNoNode))) }},
	} {
		if got := testing.AllocsPerRun(100, tt.f); got != 0 {
			t.Errorf("%s: %v allocations", tt.name, got)
		}
	}
	if sum == 0 {
		t.Error("nothing was done")
	}
}
