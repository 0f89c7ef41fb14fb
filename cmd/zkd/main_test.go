package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zkd/server"
	"zkd/test/ports"
	"zkd/test/wire"
)

// asProgram in the environment makes the test binary the program itself.
const asProgram = "ZKD_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is zkd with arguments, as a process in a directory of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), asProgram+"=1", "JVMFLAGS=", "SERVER_JVMFLAGS=")
	return cmd
}

// ends runs a program to its end and returns what it wrote.
func ends(t *testing.T, cmd *exec.Cmd, code int) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("zkd %q: exit code %d, want %d\n%s", cmd.Args[1:], got, code, out)
	}
	return string(out)
}

// runs starts a program, and returns when it says that it serves.
func runs(t *testing.T, cmd *exec.Cmd) (log func() string) {
	t.Helper()
	path := filepath.Join(cmd.Dir, "out")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	log = func() string { b, _ := os.ReadFile(path); return string(b) }
	for end := time.Now().Add(patience); !strings.Contains(log(), "serves ZooKeeper clients"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("zkd %q does not serve:\n%s", cmd.Args[1:], log())
		}
	}
	return log
}

func freeAddr(t *testing.T) (addr, port string) {
	t.Helper()
	port = fmt.Sprint(ports.For(t))
	return net.JoinHostPort("127.0.0.1", port), port
}

func TestVersionFlags(t *testing.T) {
	for _, arg := range []string{"--version", "-v", "version"} {
		if got := ends(t, program(t, arg), 0); got != server.FullVersion()+"\n" {
			t.Errorf("%s says %q", arg, got)
		}
	}
	// Builds differ in what they know of git, not in this.
	if line, _, _ := strings.Cut(server.FullVersion(), "\n"); line != "zkd "+server.Version+", behaves as ZooKeeper 3.9.5" {
		t.Errorf("the version is %q", line)
	}
}

// Who mistypes is told what was meant.
func TestWhatWasMeant(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"zoo.cfg"}, "zoo.cfg is no command. To run a server with that file: zkd server zoo.cfg"},
		{[]string{"/etc/hosts"}, "zkd server /etc/hosts"},
		{[]string{"sever", "zoo.cfg"}, `there is no command "sever"; was zkd server meant?`},
		{[]string{"stauts"}, "was zkd status meant?"},
		{[]string{"start-foreground"}, "was zkd server meant?"},
		{[]string{"nonsense"}, `there is no command "nonsense"; zkd --help lists what there is`},
		{[]string{"version", "x"}, `zkd version takes no arguments, and there is "x"`},
		{[]string{"--port", "x"}, "--port: clientPort=x must be a whole number"},
		{[]string{"--port", "0"}, "--port 0: clients have to know the port"},
		{[]string{"server", "zoo.cfg", "--port", "1"}, "a server with a zoo.cfg takes no --port: set clientPort in zoo.cfg"},
		{[]string{"status", "zoo.cfg", "--server", "a:1"}, "either --server or a zoo.cfg"},
	} {
		if got := ends(t, program(t, tt.args...), 2); !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
			t.Errorf("zkd %q says %q", tt.args, got)
		}
	}
}

// A server needs no file for another port and directory, and the commands that ask one server need none either.
func TestWithoutConfig(t *testing.T) {
	addr, port := freeAddr(t)
	for _, args := range [][]string{{"--port", port, "--data", "here"}, {"server", "-D", "clientPort=" + port, "-D", "dataDir=here"}} {
		cmd := program(t, args...)
		log := runs(t, cmd)
		if !strings.Contains(log(), "on "+addr+", data in "+filepath.Join(cmd.Dir, "here")) || strings.Contains(log(), "msg=configuration") {
			t.Errorf("zkd %q says\n%s", args, log())
		}
		for _, ask := range [][]string{{"status"}, {"status", "--json"}, {"health"}, {"health", "--ready"}} {
			if got := ends(t, program(t, append(ask, "--server", addr)...), 0); !strings.Contains(got, addr) {
				t.Errorf("zkd %q says %q", ask, got)
			}
		}
		stop(t, cmd, syscall.SIGTERM)
		for _, ask := range [][]string{{"status"}, {"health"}, {"health", "--ready"}} {
			if got := ends(t, program(t, append(ask, "--server", addr)...), 1); got != addr+": connect: connection refused\n" {
				t.Errorf("zkd %q says %q", ask, got)
			}
		}
	}
}

func stop(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after %v: %v", sig, err)
	}
}

// A terminal that is closed stops a server in good order; one that was started by nohup goes on.
func TestHangUp(t *testing.T) {
	addr, port := freeAddr(t)
	cmd := program(t, "--port", port)
	log := runs(t, cmd)
	stop(t, cmd, syscall.SIGHUP)
	if !strings.Contains(log(), "msg=stopping") {
		t.Errorf("it says\n%s", log())
	}
	nohup, err := exec.LookPath("nohup")
	if err != nil {
		t.Skip("nohup is not installed")
	}
	cmd = program(t, "--port", port)
	cmd.Path, cmd.Args = nohup, append([]string{"nohup"}, cmd.Args...)
	runs(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if text, err := wire.Words(addr, "ruok", patience); err != nil || text != "imok" {
		t.Errorf("ruok after SIGHUP under nohup: %q, %v", text, err)
	}
	stop(t, cmd, syscall.SIGTERM)
}

// An address that is taken is an error that names what asked for it, and a way out.
func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	_, free := freeAddr(t)
	_, second := freeAddr(t)
	line := "server.1=127.0.0.1:" + free + ":"
	for _, tt := range []struct {
		name, text string
		code       int
		want       string
	}{
		{"client port", "clientPortAddress=127.0.0.1\nclientPort=" + port, 1, "clientPort (zoo.cfg:3): another process listens on " + taken + " already; stop that one, or set another clientPort"},
		{"client port of a server line", line + second + ";127.0.0.1:" + port, 1, "server.1 (zoo.cfg:2): another process listens on " + taken + " already; stop that one, or give it another port behind the semicolon"},
		{"peer port", "clientPortAddress=127.0.0.1\nclientPort=" + second + "\nstandaloneEnabled=false\ninitLimit=5\nsyncLimit=2\nelectionPortBindRetry=1\n" + line + port, 14,
			"server.1 (zoo.cfg:8): another process listens on " + taken + " already; stop that one, or change that line on all servers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := program(t, "server", "zoo.cfg")
			write(t, filepath.Join(cmd.Dir, "zoo.cfg"), "dataDir="+filepath.Join(cmd.Dir, "data")+"\n"+tt.text+"\n")
			write(t, filepath.Join(cmd.Dir, "data", "myid"), "1")
			if got := ends(t, cmd, tt.code); !strings.Contains(got, "zkd: "+tt.want) {
				t.Errorf("it says\n%s", got)
			}
		})
	}
	t.Run("without a zoo.cfg", func(t *testing.T) {
		want := "clientPort (--port): another process listens on " + taken + " already; stop that one, or choose another port: zkd --port N"
		if got := ends(t, program(t, "--port", port), 1); !strings.Contains(got, want) {
			t.Errorf("it says\n%s", got)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A server that cannot start says what check-config says, and both say it once.
func TestSaysWhatIsWrong(t *testing.T) {
	const bad = "datadir=/x\nclientPort=2181\n"
	for _, args := range [][]string{{"server", "zoo.cfg"}, {"check-config", "zoo.cfg"}} {
		cmd := program(t, args...)
		write(t, filepath.Join(cmd.Dir, "zoo.cfg"), bad)
		got := ends(t, cmd, 2)
		for _, want := range []string{"unknown key datadir, ignored; the nearest known key is dataDir", "zoo.cfg: dataDir is not set"} {
			if strings.Count(got, want) != 1 {
				t.Errorf("zkd %q says\n%s", args, got)
			}
		}
	}
}

func TestFold(t *testing.T) {
	const width = 20
	for text, want := range map[string]string{
		"":                                    "",
		"short\n":                             "short\n",
		"exactly twenty chars\n":              "exactly twenty chars\n",
		"a line that is longer than it may\n": "a line that is\n    longer than it\n    may\n",
		"one-word-that-is-longer-than-it-may and more\n":      "one-word-that-is-longer-than-it-may and more\n",
		"    indented, and longer than it may be\nand more\n": "    indented, and\n    longer than it\n    may be\nand more\n",
	} {
		if got := fold(text, width); got != want {
			t.Errorf("%q is folded to %q", text, got)
		}
	}
}

// A server that waits for the others of its ensemble is alive and not ready, whatever words it answers.
func TestHealthWhileWaiting(t *testing.T) {
	addr, port := freeAddr(t)
	cmd := program(t, "server", "zoo.cfg")
	text := "dataDir=" + filepath.Join(cmd.Dir, "data") + "\ninitLimit=5\nsyncLimit=2\n4lw.commands.whitelist=conf\nreadonlymode.enabled=true\ntickTime=100\n"
	for id := 1; id <= 3; id++ {
		text += fmt.Sprintf("server.%d=127.0.0.1:%d:%d;127.0.0.1:%s\n", id, ports.For(t), ports.For(t), port)
		_, port = freeAddr(t)
	}
	path := filepath.Join(cmd.Dir, "zoo.cfg")
	write(t, path, text)
	write(t, filepath.Join(cmd.Dir, "data", "myid"), "1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer stop(t, cmd, syscall.SIGTERM)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if got, err := program(t, "health", path).Output(); err == nil {
			if string(got) != addr+" answers\n" {
				t.Errorf("zkd health says %q", got)
			}
			break
		} else if time.Now().After(end) {
			t.Fatalf("zkd health says %q, %v", got, err)
		}
	}
	if got := ends(t, program(t, "health", "--ready", path), 1); !strings.HasPrefix(got, addr+": it says: This ZooKeeper instance is not currently serving requests") &&
		got != addr+": it has no leader and lets clients only read\n" {
		t.Errorf("zkd health --ready says %q", got)
	}
}
