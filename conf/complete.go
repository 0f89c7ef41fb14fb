package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Complete returns a copy of c in which what follows another setting, and is
// zero, has its value: DataLogDir, the bounds of session timeouts and
// JuteMaxBufferExtraSize. The error names every field whose value no server
// can run with; a Config that begins as one of Load or Default has few of them.
func (c *Config) Complete() (*Config, error) {
	if c == nil {
		return nil, errors.New("conf: there is no configuration; Default returns one")
	}
	full := *c
	full.follow()
	var wrong []string
	for _, f := range full.fields() {
		if !f.ok {
			value := fmt.Sprint(f.value)
			if value == "" {
				value = `""`
			}
			wrong = append(wrong, fmt.Sprintf("%s is %s, want %s", f.name, value, f.allowed))
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("conf: not a configuration to run with, begin with Default or Load: %s", strings.Join(wrong, "; "))
	}
	return &full, nil
}

// follow fills in what follows something else.
func (c *Config) follow() {
	if c.DataLogDir == "" {
		c.DataLogDir = c.DataDir
	}
	if c.MinSessionTimeout == 0 {
		c.MinSessionTimeout = minSessionTicks * c.TickTime
	}
	if c.MaxSessionTimeout == 0 {
		c.MaxSessionTimeout = maxSessionTicks * c.TickTime
	}
	if c.JuteMaxBufferExtraSize == 0 {
		c.JuteMaxBufferExtraSize = max(c.JuteMaxBuffer, 1024)
	}
}

// unfollow takes back what follow has filled in, so that it follows later changes.
func (c *Config) unfollow() {
	c.DataLogDir, c.MinSessionTimeout, c.MaxSessionTimeout, c.JuteMaxBufferExtraSize = "", 0, 0, 0
}

// field is what Complete checks: zero means something to all the others.
type field struct {
	name    string
	value   any
	ok      bool
	allowed string
}

func (c *Config) fields() []field {
	all := []field{
		{"TickTime", c.TickTime, c.TickTime >= time.Millisecond, "at least 1ms"},
		{"DataDir", c.DataDir, c.DataDir != "", "a directory"},
		{"LogStore", c.LogStore, c.LogStore == "wal" || c.LogStore == "bolt", "wal or bolt"},
		{"MinSessionTimeout", c.MinSessionTimeout, c.MinSessionTimeout >= time.Millisecond, "at least 1ms"},
		{"MaxSessionTimeout", c.MaxSessionTimeout, c.MaxSessionTimeout >= c.MinSessionTimeout, "at least MinSessionTimeout"},
		{"SnapCount", c.SnapCount, c.SnapCount >= 2, "at least 2"},
		{"SnapRetainCount", c.SnapRetainCount, c.SnapRetainCount >= 1, "at least 1"},
		{"JuteMaxBuffer", c.JuteMaxBuffer, c.JuteMaxBuffer >= 1, "at least 1"},
		{"GlobalOutstandingLimit", c.GlobalOutstandingLimit, c.GlobalOutstandingLimit >= 1, "at least 1"},
		{"ContainerCheckInterval", c.ContainerCheckInterval, c.ContainerCheckInterval > 0, "more than 0"},
		{"DigestAlg", c.DigestAlg, !c.DigestAuthEnabled || slices.Contains(digestAlgs, c.DigestAlg), strings.Join(digestAlgs, ", ")},
		{"ServerID", c.ServerID, c.ServerID >= 0 && c.ServerID <= maxServerID+1, "0 to 255"},
	}
	if c.EnsembleMode() {
		all = append(all,
			field{"InitLimit", c.InitLimit, c.InitLimit >= 1, "at least 1"},
			field{"SyncLimit", c.SyncLimit, c.SyncLimit >= 1, "at least 1"},
			field{"Servers", c.Servers, c.Self() != nil, "a list that has ServerID, or StandaloneEnabled"},
			field{"PeerDialTimeout", c.PeerDialTimeout, c.PeerDialTimeout > 0, "more than 0"})
	}
	return all
}
