package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The file that is read for the members is named, and may be an argument.
func TestMemberNamesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zoo.cfg")
	text := "dataDir=/d\ninitLimit=5\nsyncLimit=2\nserver.1=127.0.0.1:1:2;3\nserver.2=127.0.0.1:4:5;6\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := ends(t, program(t, "member", "add", "4", "--config", file), 2); !strings.Contains(out, file+" has no line server.4; write server.4=host:port:port;clientPort") {
		t.Error(out)
	}
	if out := ends(t, program(t, "member", "add", "4", "--peer", "127.0.0.1:1"), 2); !strings.Contains(out, "with --peer there is no line server.4; write server.4=") {
		t.Error(out)
	}
	if out := ends(t, program(t, "member", "list", file, "--timeout", "1ms"), 1); !strings.Contains(out, "not done in time") {
		t.Error(out)
	}
}
