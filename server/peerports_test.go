package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"zkd/conf"
	"zkd/consensus/store"
)

// collector keeps what was logged.
type collector struct{ lines chan string }

func (c collector) Write(b []byte) (int, error) {
	c.lines <- string(b)
	return len(b), nil
}

func TestPeerPortInUse(t *testing.T) {
	lone := loneEnsemble(t, "")
	cfg := testConfig(t, t.TempDir(), func(c *conf.Config) { lone(c); c.PeerBindRetries = 1 })
	l, err := net.Listen("tcp", cfg.Servers[0].Addrs[0].Election().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler)); !IsPeerPortError(err) || IsDataError(err) {
		t.Errorf("start: %v", err)
	}
	cfg.ClientAddr = l.Addr().String()
	if _, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || IsPeerPortError(err) {
		t.Errorf("start on a client port in use: %v", err)
	}
	// It is free again: the next attempt gets it.
	cfg.ClientAddr, cfg.PeerBindRetries = "127.0.0.1:0", 0
	trying := make(chan string, 10)
	log := slog.New(slog.NewTextHandler(collector{trying}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	go func() {
		<-trying
		l.Close()
	}()
	s, err := Start(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	stopServer(t, s)
	if l.Close(); !errors.Is(l.Close(), net.ErrClosed) {
		t.Error("it did not wait for the port")
	}
}

// A server whose own name does not resolve waits for it, however few attempts to
// bind it may make.
func TestOwnNameIsWaitedFor(t *testing.T) {
	lone := loneEnsemble(t, "")
	cfg := testConfig(t, t.TempDir(), func(c *conf.Config) { lone(c); c.PeerBindRetries = 1 })
	cfg.Servers[0].Addrs[0].Host = "own.zkd.invalid"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := make(chan string, 10)
	log := slog.New(slog.NewTextHandler(collector{said}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ended := make(chan error, 1)
	go func() {
		_, err := Start(ctx, cfg, log)
		ended <- err
	}()
	select {
	case line := <-said:
		if !strings.Contains(line, "own name does not resolve") || !strings.Contains(line, "own.zkd.invalid") {
			t.Errorf("it says %q", line)
		}
	case err := <-ended:
		t.Fatalf("it does not wait: %v", err)
	}
	cancel()
	if err := <-ended; !IsPeerPortError(err) {
		t.Errorf("a start that was ended while it waited: %v", err)
	}
}

// counts counts how often the data are opened.
type counts struct {
	smallSegments
	opened atomic.Int64
}

func (d *counts) Do(op store.Op, do func() error) error {
	if op.Kind == store.OpRead && filepath.Base(op.Path) == "FORMAT" {
		d.opened.Add(1)
	}
	return do()
}

// Who waits for the peer ports does not read the log again and again: it may be long.
func TestDataAreReadOnceHoweverLateThePorts(t *testing.T) {
	lone := loneEnsemble(t, "")
	dir := t.TempDir()
	s := startIn(t, dir, lone)
	connect(t, s).create("/there", nil, 0)
	stopServer(t, s)

	opened := func(late int64) int64 {
		d, attempts := &counts{}, atomic.Int64{}
		cfg := testConfig(t, dir, func(c *conf.Config) { lone(c); c.PeerBindRetries = 1 })
		quorum := cfg.Servers[0].Addrs[0].Quorum().String()
		world := World{Disk: d, Listen: func(network, address string) (net.Listener, error) {
			if address == quorum && attempts.Add(1) <= late {
				return nil, &net.DNSError{Err: "no such host", Name: "own.zkd.invalid", IsNotFound: true}
			}
			return net.Listen(network, address)
		}}
		s, err := StartIn(t.Context(), cfg, slog.New(slog.DiscardHandler), world)
		if err != nil {
			t.Fatal(err)
		}
		stopServer(t, s)
		if attempts.Load() != late+1 {
			t.Errorf("%d attempts to listen, want %d", attempts.Load(), late+1)
		}
		return d.opened.Load()
	}
	if once, late := opened(0), opened(2); once == 0 || late != once {
		t.Errorf("read %d times, and %d times when the ports were late", once, late)
	}
}
