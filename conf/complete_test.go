package conf

import (
	"strings"
	"testing"
	"time"
)

// What follows another field does so when that one is changed, and not when it has a value of its own.
func TestCompleteFollows(t *testing.T) {
	cfg := Default()
	cfg.DataDir, cfg.TickTime, cfg.JuteMaxBuffer = "/d", 100*time.Millisecond, 5000
	full, err := cfg.Complete()
	if err != nil || full.DataLogDir != "/d" || full.MinSessionTimeout != 200*time.Millisecond ||
		full.MaxSessionTimeout != 2*time.Second || full.JuteMaxBufferExtraSize != 5000 {
		t.Errorf("%+v, %v", full, err)
	}
	if cfg.DataLogDir != "" {
		t.Error("the Config has changed")
	}
	cfg.DataLogDir, cfg.MinSessionTimeout, cfg.MaxSessionTimeout, cfg.JuteMaxBufferExtraSize = "/l", 1e6, 2e6, 7
	if full, err = cfg.Complete(); err != nil || full.DataLogDir != "/l" || full.MinSessionTimeout != 1e6 ||
		full.MaxSessionTimeout != 2e6 || full.JuteMaxBufferExtraSize != 7 {
		t.Errorf("%+v, %v", full, err)
	}
}

// Each field that a server cannot run with is named, with what it may be.
func TestCompleteNames(t *testing.T) {
	for want, spoil := range map[string]func(*Config){
		"TickTime is 0s, want at least 1ms":                  func(c *Config) { c.TickTime = 0 },
		`DataDir is "", want a directory`:                    func(c *Config) { c.DataDir = "" },
		"LogStore is rocksdb, want wal or bolt":              func(c *Config) { c.LogStore = "rocksdb" },
		"MinSessionTimeout is -1ns":                          func(c *Config) { c.MinSessionTimeout = -1 },
		"MaxSessionTimeout is 1ms, want at least MinSession": func(c *Config) { c.MaxSessionTimeout = time.Millisecond },
		"SnapCount is 1, want at least 2":                    func(c *Config) { c.SnapCount = 1 },
		"SnapRetainCount is 0, want at least 1":              func(c *Config) { c.SnapRetainCount = 0 },
		"JuteMaxBuffer is -3, want at least 1":               func(c *Config) { c.JuteMaxBuffer = -3 },
		"GlobalOutstandingLimit is 0, want at least 1":       func(c *Config) { c.GlobalOutstandingLimit = 0 },
		"ContainerCheckInterval is 0s, want more than 0":     func(c *Config) { c.ContainerCheckInterval = 0 },
		"DigestAlg is sha-1, want SHA1, SHA-224":             func(c *Config) { c.DigestAlg = "sha-1" },
		"ServerID is 256, want 0 to 255":                     func(c *Config) { c.ServerID = 256 },
		"InitLimit is 0, want at least 1; SyncLimit is 0":    func(c *Config) { c.StandaloneEnabled = false },
		"Servers is [], want a list that has ServerID":       func(c *Config) { c.StandaloneEnabled = false },
		"PeerDialTimeout is 0s, want more than 0":            func(c *Config) { c.StandaloneEnabled, c.PeerDialTimeout = false, 0 },
		`want at least 1ms; LogStore is "", want wal or bolt`: func(c *Config) {
			c.TickTime, c.LogStore, c.MinSessionTimeout, c.MaxSessionTimeout = 0, "", time.Second, time.Second
		},
	} {
		cfg := Default()
		spoil(cfg)
		if _, err := cfg.Complete(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
