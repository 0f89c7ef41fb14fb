package consensus

import (
	"encoding/binary"
	"log/slog"
	"testing"
)

// What a follower reports is compared with what this leader had behind the same
// entry, and the server hears the rest of it.
func TestTakeReport(t *testing.T) {
	for name, tt := range map[string]struct {
		index, digest uint64
		tail          string
		cut           int // bytes that are missing at the end
		verdict       verdict
		malformed     bool
	}{
		"same":              {index: 5, digest: 55, tail: "sessions", verdict: sameDigest},
		"other":             {index: 5, digest: 56, verdict: otherDigest},
		"not applied here":  {index: 6, digest: 66},
		"nothing applied":   {},
		"no longer known":   {index: 5 + 4096, digest: 55},
		"not a whole head":  {index: 5, digest: 55, cut: 1, malformed: true},
		"nothing in it":     {cut: reportHeader, malformed: true},
		"only a whole head": {index: 5, digest: 55, verdict: sameDigest},
	} {
		t.Run(name, func(t *testing.T) {
			var from uint64
			var heard string
			n := &Node{log: slog.New(slog.DiscardHandler), id: identity{RaftID: "1.1"}, cfg: Config{Ensemble: &Ensemble{
				Reported: func(server uint64, report []byte) { from, heard = server, string(report) },
			}}}
			n.fsm = newFSM(n, newMachine(0))
			n.fsm.digests.add(5, 55)
			be := binary.BigEndian
			b := be.AppendUint64(be.AppendUint64(be.AppendUint64(nil, 7), tt.index), tt.digest)
			b = append(b, tt.tail...)
			if ok := n.takeReport("3.1", b[:len(b)-tt.cut]); ok == tt.malformed {
				t.Fatalf("taken: %v", ok)
			}
			if tt.malformed {
				if from != 0 || len(n.members.all) != 0 {
					t.Errorf("it counts all the same: from %d, %v", from, n.members.all)
				}
				return
			}
			if h := n.members.all["3.1"]; h.applied != 7 || h.digest != tt.verdict {
				t.Errorf("noted: applied %d, verdict %d", h.applied, h.digest)
			}
			if from != 3 || heard != tt.tail {
				t.Errorf("the server heard %q of %d", heard, from)
			}
		})
	}
}
