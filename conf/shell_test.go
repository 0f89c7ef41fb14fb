package conf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shellFiles are read as a shell reads them, as far as it is known without one.
var shellFiles = []struct {
	text    string
	want    string // NAME=value, with a blank between
	skipped int    // commands
}{
	{"", "", 0},
	{"# JVMFLAGS=x\n\nA=1", "A=1", 0},
	{"export A=1 B=2;C=3\n  D=4 # x", "A=1 B=2 C=3 D=4", 0},
	{`A="1 2"; B='$A "x"'; C=$A; D="${A}b$B"`, `A=1 2 B=$A "x" C=1 2 D=1 2b$A "x"`, 0},
	{"A=\"-Xmx1g \\\n  -Dx=y\"\nB=a\\\nb", "A=-Xmx1g   -Dx=y B=ab", 0},
	{"A=\"one\ntwo\"\nB=2", "A=one\ntwo B=2", 0},
	{`A=${HOST:-h} B="${NONE:-none}" C=$NONE`, "A=the host B=none C=", 0},
	{"JVMFLAGS=\"$JVMFLAGS -Da=b\"\nJVMFLAGS=\"$JVMFLAGS -Dc=d\"", "JVMFLAGS= -Da=b JVMFLAGS= -Da=b -Dc=d", 0},
	{"A=1\nA+=2", "A=1 A=12", 0},
	{"export A\nunset B\nA=$(hostname)\nB=`date`\nC=1", "C=1", 3},
	{"if true; then\nA=1\nfi\nB=2", "B=2", 3},
	{"if true; then A=1; fi\nB=2", "B=2", 2},
	{"case x in\n a) A=1;;\nesac\nB=2", "B=2", 2},
	{"[ -f x ] && A=1\nB=2", "B=2", 2},
	{"f() {\n A=1\n}\n(A=1)\nB=2", "B=2", 3},
	{"A='open\nB=2", "", 1},
	{`"A"=1`, "", 1},
	{`A=a\ b\\c`, `A=a b\c`, 0},
	{"source x\n. y\nA=1", "A=1", 2},
	{"A=1\r\nB=2\r\n", "A=1 B=2", 0},
	{"A=1 command\nA=$1\nA=${B#x}\nA=${B:-$C}", "", 4},
}

func shellGet(name string) string { return map[string]string{"HOST": "the host"}[name] }

func TestShellFiles(t *testing.T) {
	for _, tt := range shellFiles {
		set, skipped := parseShell([]byte(tt.text), shellGet)
		var got []string
		for _, a := range set {
			got = append(got, a.name+"="+a.value)
		}
		if strings.Join(got, " ") != tt.want || len(skipped) != tt.skipped {
			t.Errorf("%q sets %q, want %q; skips %v, want %d", tt.text, got, tt.want, skipped, tt.skipped)
		}
	}
	set, skipped := parseShell([]byte("\nA=\\\n1\n\nB=\"\n\"; exit\n"), shellGet)
	if len(set) != 2 || set[0].line != 2 || set[1].line != 5 || len(skipped) != 1 || skipped[0].line != 6 {
		t.Errorf("lines of %v, %v", set, skipped)
	}
}

// TestShellAgrees has a real shell read the same files: what parseShell says is
// set, is so there.
func TestShellAgrees(t *testing.T) {
	sh, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	for _, tt := range shellFiles {
		set, skipped := parseShell([]byte(tt.text), shellGet)
		if len(skipped) > 0 {
			continue
		}
		path := filepath.Join(t.TempDir(), "java.env")
		text := strings.ReplaceAll(tt.text, "\r", "")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		last := map[string]string{}
		for _, a := range set {
			last[a.name] = a.value
		}
		for name, value := range last {
			cmd := exec.Command(sh, "-c", `. "$1"; printf %s "${!2}"`, "sh", path, name)
			cmd.Env = []string{"HOST=the host"}
			got, err := cmd.Output()
			if err != nil || string(got) != value {
				t.Errorf("%q: %s is %q, the shell has %q (%v)", tt.text, name, value, got, err)
			}
		}
	}
}

func TestShellIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("A=0123456789\n")
	for range 100 {
		b.WriteString("A=$A$A\n")
	}
	set, skipped := parseShell([]byte(b.String()), shellGet)
	for _, a := range set {
		if len(a.value) > longestValue {
			t.Fatalf("%d bytes", len(a.value))
		}
	}
	if len(skipped) == 0 {
		t.Error("everything was set")
	}
}
