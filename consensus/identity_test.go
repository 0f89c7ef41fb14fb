package consensus

import (
	"errors"
	"testing"
)

// A directory stays with the server id that made it: under another the server
// would wait for ever for a leader that cannot be.
func TestDirectoryOfAnotherServer(t *testing.T) {
	cfg := config(t, t.TempDir())
	if err := start(t, cfg, &machine{}).Close(); err != nil {
		t.Fatal(err)
	}
	cfg.ServerID++
	n, err := Open(cfg, &machine{})
	if err == nil {
		n.Close()
	}
	if !errors.Is(err, ErrIdentity) {
		t.Errorf("opened by another server: %v", err)
	}
}
