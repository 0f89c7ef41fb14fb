package memdir

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// how a process of this test is to end, which is started for that.
const how = "ZKD_TEST_END"

// A process that ends in the middle of a test leaves no folder, and says what was noted.
func TestNothingIsLeft(t *testing.T) {
	if os.Getenv(how) != "" {
		end(t)
	}
	for _, way := range []string{"panic", "exit", "kill", "well"} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestNothingIsLeft$", "-test.v")
		cmd.Env = append(os.Environ(), how+"="+way)
		out, _ := cmd.CombinedOutput() // which waits for the heir as well
		_, dir, found := strings.Cut(string(out), "made ")
		dir, _, _ = strings.Cut(dir, "\n")
		if !found {
			t.Fatalf("%s: %s", way, out)
		}
		for limit := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if _, err := os.Lstat(filepath.Dir(dir)); errors.Is(err, os.ErrNotExist) {
				break
			}
			if time.Now().After(limit) {
				t.Errorf("%s: %s is left", way, dir)
				break
			}
		}
		if said := strings.Contains(string(out), "repeat it by 7\n"); said != (way != "well") {
			t.Errorf("%s: said %q", way, out)
		}
	}
}

func end(t *testing.T) {
	dir := New(t)
	Note(t, dir, "repeat it by %d", 7)
	fmt.Printf("made %s\n", dir)
	switch os.Getenv(how) {
	case "panic":
		go panic("not caught by any test")
		select {}
	case "exit":
		os.Exit(3)
	case "kill":
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		select {}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	t.SkipNow()
}
