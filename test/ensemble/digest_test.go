package ensemble

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A replica whose memory was changed notices, stops serving, and comes back equal to the others by itself.
func TestCorruptMemory(t *testing.T) {
	OnlyZkd(t)
	for _, role := range []Role{Follower, Leader} {
		t.Run(string(role), func(t *testing.T) {
			e := Start(t, Options{Config: []string{"zkd.scrubInterval=200ms"}})
			l := e.StartLoad(LoadOptions{Clients: 10})
			c := Open(t, 20*time.Second, e.Servers...)
			// A marker that is in this process in two parts only, and on no server but in the znode.
			marker := fmt.Appendf(nil, "marker-%016x%016x-end", rand.Uint64(), rand.Uint64())
			c.Create("/marked", marker)
			c.Close()
			l.Await(500) // the request's own copy of it goes
			sick := e.AwaitRole(role)
			found, err := sick.CorruptMemory(marker)
			if err != nil || found == 0 {
				t.Fatalf("%d copies of the marker in the memory of %v: %v", found, sick, err)
			}
			e.says(sick, "digest")
			e.AwaitServing(sick)
			healed := Open(t, 20*time.Second, sick)
			e.Await("the data is right again", func() bool {
				data, _ := healed.Get("/marked")
				return bytes.Equal(data, marker)
			})
			healed.Close()
			l.Stop()
		})
	}
}

// A replica whose disk was changed while it was down notices, and comes back equal to the others by itself.
func TestCorruptDisk(t *testing.T) {
	OnlyZkd(t)
	for _, row := range []struct {
		name string
		take func(path string) bool
	}{
		{"log", func(p string) bool { return strings.HasSuffix(p, ".wal") }},
		{"snapshot", func(p string) bool { return strings.Contains(p, "snapshots") }},
		{"everything", func(p string) bool { return filepath.Base(p) != "myid" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := Start(t, Options{Config: []string{"snapCount=500"}})
			l := e.StartLoad(LoadOptions{Clients: 20, Pause: time.Millisecond})
			l.Await(2000)
			sick := e.AwaitRole(Follower)
			sick.Kill()
			changed, err := sick.CorruptFiles(row.take)
			if err != nil || len(changed) == 0 {
				t.Fatalf("damaged %v: %v", changed, err)
			}
			t.Logf("damaged %v", changed)
			l.Await(500)
			e.Restart(sick)
			l.Settle()
			l.Stop()
		})
	}
}
