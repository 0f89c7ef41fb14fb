package crash

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
)

// A full disk stops the server with a message. It acknowledges nothing that is
// not kept, does not start before there is space again, and then has all of it.
func TestDiskFull(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		conf []string
	}{
		{"wal", nil, []string{"snapCount=1000000"}},
		{"wal with snapshots", nil, []string{"snapCount=500"}},
		{"bolt", []string{"-D", "zkd.logStore=bolt"}, []string{"snapCount=1000000"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			disk := tmpfs(t, "size=48m")
			s := newSite(t, row.args...)
			s.data, s.conf = filepath.Join(disk, "data"), row.conf
			p := s.up()
			list := startWorkers(t, p)
			// Somebody else fills the disk while the server is at work.
			ballast := filepath.Join(disk, "ballast")
			load(list, func(acks *atomic.Int64) {
				reached(p, acks, 300)
				fill(t, ballast)
				if code := p.exit(); code != 1 {
					t.Errorf("exit code %d", code)
				}
			})
			if text := p.message(); !strings.Contains(text, "disk full") || strings.Contains(text, "goroutine") {
				t.Errorf("at its end the server said: %s", text)
			}

			again := s.start()
			if again.serves() {
				t.Error("it started on a full disk")
			}
			if text := again.message(); !strings.Contains(text, "disk full") || strings.Contains(text, "\n") {
				t.Errorf("refusing to start the server said: %s", text)
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			p = s.up()
			resume(t, p, list)
			p.terminate()
		})
	}
}

// fill writes a file until there is no space left.
func fill(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for size := 1 << 20; size >= 512; size /= 2 {
		b := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(b)
		}
	}
}

// A damaged newest snapshot: the server goes on with an older one and the log,
// and has everything; or it refuses and names the file. It says so either way.
func TestDamagedSnapshot(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"bit flipped in the middle": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"bit flipped in the header": func(b []byte) []byte { b[9] ^= 4; return b },
		"bit flipped in the end":    func(b []byte) []byte { b[len(b)-20] ^= 4; return b },
		"cut in half":               func(b []byte) []byte { return b[:len(b)/2] },
		"empty":                     func([]byte) []byte { return nil },
		"zeros":                     func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		for _, all := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				s.conf = []string{"snapCount=300"}
				p := s.up()
				list := startWorkers(t, p)
				load(list, func(acks *atomic.Int64) {
					reached(p, acks, 2000)
					for len(snapshots(s)) < 3 {
						reached(p, acks, acks.Load()+100)
					}
					p.terminate()
				})
				files := snapshots(s)
				if !all {
					files = files[len(files)-1:]
				}
				for _, file := range files {
					b, err := os.ReadFile(file)
					if err == nil {
						err = os.WriteFile(file, damage(b), 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				p = s.start()
				named := filepath.Base(files[len(files)-1])
				if p.serves() {
					resume(t, p, list)
				} else if code := p.exit(); code != 1 && code != 3 {
					t.Errorf("exit code %d", code)
				} else if text := p.message(); strings.Count(text, "\n") > 1 || text == "" || strings.Contains(text, "goroutine") {
					t.Errorf("refusing to start the server said: %q", text)
				}
				if !strings.Contains(p.stderr.String(), named) {
					t.Errorf("nothing names %s:\n%s", named, p.stderr.String())
				}
			})
		}
	}
}

// snapshots lists the finished snapshots, oldest first.
func snapshots(s *site) []string {
	files, _ := filepath.Glob(filepath.Join(s.data, "raft", "snapshots", "*.snap"))
	sort.Strings(files)
	return files
}
