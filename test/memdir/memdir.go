// Package memdir gives tests folders in memory, where the machine has a file system there, and leaves none behind: not
// after a panic, a time limit or a kill either, which run no function that a test has deferred.
package memdir

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// heir removes the folders of this process when it has ended, however that was: what it reads from ends then. Before,
// it shows what Note has left.
const heir = `read -r _; for f in "$1"/*/` + noteName + `; do [ -f "$f" ] && cat "$f" >&2; done; rm -rf "$1"`

const noteName = ".note"

// folder is what this process has in memory. lifeline is what the heir reads from: nobody writes to it, and no other
// process has it.
type folder struct {
	dir      string
	lifeline *os.File
}

var base = sync.OnceValues(func() (folder, error) {
	dir, err := os.MkdirTemp("/dev/shm", "zkd-test-")
	if err != nil {
		if dir, err = os.MkdirTemp("", "zkd-test-"); err != nil {
			return folder{}, err
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return folder{}, errors.Join(err, os.Remove(dir))
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", heir, "sh", dir)
	cmd.Stdin, cmd.Stderr = r, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is not for it
	if err := cmd.Start(); err != nil {
		return folder{}, errors.Join(err, w.Close(), os.Remove(dir))
	}
	return folder{dir, w}, nil
})

// New makes a folder. The caller removes it when it has no use for it any more.
func New(t testing.TB) string {
	t.Helper()
	in, err := base()
	if err != nil {
		t.Fatalf("no folder can be made, neither in memory nor on disk: %v", err)
	}
	dir, err := os.MkdirTemp(in.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Note leaves a line in a folder of New that is shown on stderr if the process ends before the folder is removed: how to
// repeat what ended it, say.
func Note(t testing.TB, dir, format string, args ...any) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, noteName), fmt.Appendf(nil, format+"\n", args...), 0o600); err != nil {
		t.Fatal(err)
	}
}
