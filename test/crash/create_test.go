package crash

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/test/wire"
)

// Killed while it creates its data directory, or while it starts on an old
// one, a server starts the next time.
func TestKillWhileStarting(t *testing.T) {
	for name, args := range map[string][]string{"wal": nil, "bolt": {"-D", "zkd.logStore=bolt"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for files := range 9 { // the moment: so many files are there
				s := newSite(t, args...)
				p := s.start()
				// Or never, if it makes do with fewer: then it has long started.
				until := time.Now().Add(time.Second / 4)
				for count(s.data) < files && alive(p) && time.Now().Before(until) {
				}
				p.kill()
				p = s.up()
				c := connect(t, p, time.Minute)
				c.create("/a", nil, 1)
				// And again and again on what is there now, at any moment.
				for i := range 4 {
					p.kill()
					p = s.start()
					until = time.Now().Add(time.Duration(i*files) * time.Millisecond)
					for time.Now().Before(until) && alive(p) {
					}
				}
				p.kill()
				p = s.up()
				if err := c.attach(p); err != nil {
					t.Fatal(err)
				}
				if r := c.call(wire.OpExists, wire.PathWatch{Path: "/a"}); r.Err != 0 || r.Stat.EphemeralOwner != c.session {
					t.Errorf("after %d files: %+v", files, r)
				}
				if strings.Contains(p.stderr.String(), "panic") {
					t.Error(p.stderr.String())
				}
				p.kill()
			}
		})
	}
}

func alive(p *process) bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// count counts files below dir.
func count(dir string) (n int) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return nil
	})
	return n
}
