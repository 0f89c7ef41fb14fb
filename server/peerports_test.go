package server

import (
	"errors"
	"log/slog"
	"net"
	"testing"

	"zkd/conf"
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
