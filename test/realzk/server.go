package realzk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"zkd/test/ports"
	"zkd/test/proc"
)

// Options say how a server is to run. The zero value is a standalone server with all of the protocol within reach.
type Options struct {
	Config  []string          // further zoo.cfg lines; they win over the ones written by default
	Props   map[string]string // -D properties; an empty value takes a default away
	DataDir string            // "" is a fresh folder that Stop removes
	Heap    string            // as in "1g"; "" is 256m
	JVM     []string          // further arguments of java
}

// Defaults are the -D properties a server is started with. They open every operation of the protocol and let
// the reaper of containers look often enough for a test.
func Defaults() map[string]string {
	return map[string]string{
		"zookeeper.4lw.commands.whitelist":    "*",
		"zookeeper.extendedTypesEnabled":      "true",
		"zookeeper.admin.enableServer":        "false",
		"znode.container.checkIntervalMs":     "100",
		"zookeeper.jmx.log4j.disable":         "true",
		"org.slf4j.simpleLogger.logFile":      "System.out",
		"org.slf4j.simpleLogger.showDateTime": "true",
	}
}

// Server is a running ZooKeeper. Its methods are not for concurrent use.
type Server struct {
	Dist Distribution

	addr   string
	dir    string // configuration, log and, unless Options.DataDir is set, data
	opts   Options
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone
}

// StartTimeout bounds the wait for a server's first answer.
const StartTimeout = 60 * time.Second

// Start runs a standalone server on a free loopback port and waits until it answers.
// Cancelling ctx ends the wait, not a server that has started.
func Start(ctx context.Context, dist Distribution, opts Options) (*Server, error) {
	dir, err := os.MkdirTemp("", "realzk-")
	if err != nil {
		return nil, fmt.Errorf("realzk: %w", err)
	}
	s := &Server{Dist: dist, dir: dir, opts: opts}
	if s.addr, err = ports.Addr(); err == nil {
		err = s.launch(ctx)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, s.logTail())
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Addr is host:port for clients.
func (s *Server) Addr() string { return s.addr }

// PID is the process id, 0 when nothing runs.
func (s *Server) PID() int {
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// LogFile is where the server's output goes.
func (s *Server) LogFile() string { return filepath.Join(s.dir, "server.log") }

// DataDir is the server's data folder.
func (s *Server) DataDir() string {
	if s.opts.DataDir != "" {
		return s.opts.DataDir
	}
	return filepath.Join(s.dir, "data")
}

// Stop ends the server in good order and removes its temporary folder.
func (s *Server) Stop() error {
	s.end(syscall.SIGTERM)
	return os.RemoveAll(s.dir)
}

// Kill ends the process as a crash would, and keeps its folder, so that Restart can follow.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Terminate ends the process in good order and keeps its folder.
func (s *Server) Terminate() { s.end(syscall.SIGTERM) }

// Restart kills the server if it runs, and starts it again on the same address and data.
func (s *Server) Restart(ctx context.Context) error {
	s.end(syscall.SIGKILL)
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, s.logTail())
	}
	return nil
}

// end signals the process and waits for it; one that does not follow a SIGTERM in ten seconds is killed.
func (s *Server) end(sig os.Signal) {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(sig)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.exited
	}
	s.cmd = nil
}

func (s *Server) launch(ctx context.Context) error {
	conf := filepath.Join(s.dir, "zoo.cfg")
	if err := os.WriteFile(conf, []byte(s.config()), 0o644); err != nil {
		return fmt.Errorf("realzk: %w", err)
	}
	cmd, err := s.Dist.Command(conf, s.opts)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.DataDir(), 0o755); err != nil {
		return fmt.Errorf("realzk: %w", err)
	}
	out, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("realzk: %w", err)
	}
	defer out.Close() // the child has its own descriptor

	cmd.Stdout, cmd.Stderr = out, out
	// A test that dies must not leave a JVM behind.
	cmd.SysProcAttr = proc.Child()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("realzk: start %s: %w", s.Dist.Version, err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	s.cmd, s.exited = cmd, exited
	if err := s.await(ctx); err != nil {
		s.end(syscall.SIGKILL)
		return err
	}
	return nil
}

// Command is how to run a server of the distribution with a configuration file. Options.Config and DataDir are the
// caller's affair. What it needs beside the file is written into the folder of the file.
func (d Distribution) Command(conf string, opts Options) (*exec.Cmd, error) {
	logback := filepath.Join(filepath.Dir(conf), "logback.xml")
	if err := os.WriteFile(logback, []byte(logbackConfig), 0o644); err != nil {
		return nil, fmt.Errorf("realzk: %w", err)
	}
	return d.command(conf, logback, opts), nil
}

func (d Distribution) command(conf, logback string, opts Options) *exec.Cmd {
	heap := opts.Heap
	if heap == "" {
		heap = "256m"
	}
	args := []string{"-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	if opts.Heap != "" {
		args = []string{"-Xms" + heap, "-Xmx" + heap} // a measured server runs as a production one would
	}
	args = append(args, opts.JVM...)
	props := Defaults()
	maps.Copy(props, opts.Props)
	props["logback.configurationFile"] = logback
	for _, k := range slices.Sorted(maps.Keys(props)) {
		if props[k] != "" {
			args = append(args, "-D"+k+"="+props[k])
		}
	}
	args = append(args, "-cp", strings.Join(d.Jars, ":"), "org.apache.zookeeper.server.quorum.QuorumPeerMain", conf)
	return exec.Command(d.Java, args...)
}

// config is the zoo.cfg. A later line wins over an earlier one of the same key.
func (s *Server) config() string {
	host, port, _ := net.SplitHostPort(s.addr)
	lines := []string{
		"tickTime=1000",
		"dataDir=" + s.DataDir(),
		"clientPortAddress=" + host,
		"clientPort=" + port,
		"maxClientCnxns=0",
	}
	return strings.Join(append(lines, s.opts.Config...), "\n") + "\n"
}

// await returns when the server serves, fails when its process ends or the time is up.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		if serves(s.addr) {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("realzk: ZooKeeper %s ended while starting: %v", s.Dist.Version, s.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("realzk: ZooKeeper %s does not answer: %w", s.Dist.Version, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// serves asks with srvr, the one four-letter word no whitelist can forbid; only a serving server names its mode.
func serves(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := io.WriteString(c, "srvr"); err != nil {
		return false
	}
	b, err := io.ReadAll(c)
	return err == nil && strings.Contains(string(b), "Mode: ")
}

func (s *Server) logTail() string {
	b, err := os.ReadFile(s.LogFile())
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	const most = 4000
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return string(b)
}

// logbackConfig keeps logback from its default, which logs every request.
const logbackConfig = `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
`
