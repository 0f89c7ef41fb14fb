package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zkd/conf"
	"zkd/server"
	"zkd/test/ports"
)

// A recovery of damaged data that ends before it is done is finished by the same command, and a start says so.
func TestRecoverDamagedCutShort(t *testing.T) {
	for name, crash := range map[string]func(t *testing.T, raft string){
		"before the identity":          func(*testing.T, string) {},
		"before the store is in place": onItsWay,
	} {
		t.Run(name, func(t *testing.T) { cutShort(t, crash) })
	}
}

// onItsWay puts a store back on its way to its place.
func onItsWay(t *testing.T, raft string) {
	from, to := filepath.Join(raft, "*"), filepath.Join(raft, "rebuilt")
	all, err := filepath.Glob(from)
	if err == nil {
		err = os.Mkdir(to, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(to, "MOVING"), nil, 0o600)
	}
	for _, path := range all {
		if name := filepath.Base(path); err == nil && name != "LOCK" && name != "aside" {
			err = os.Rename(path, filepath.Join(to, name))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func cutShort(t *testing.T, crash func(t *testing.T, raft string)) {
	dir := t.TempDir()
	file, raft := filepath.Join(dir, "zoo.cfg"), filepath.Join(dir, "data", "raft")
	text := fmt.Sprintf("dataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\n", filepath.Join(dir, "data"), ports.For(t))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	alone := startServers(t, file)
	for _, path := range []string{"/kept", "/damaged-one", "/lost"} {
		create(t, alone[0], path)
	}
	stopServers(t, alone...)
	spoil(t, raft, "/damaged-one")
	id := filepath.Join(dir, "data", "raft.id")
	before, err := os.ReadFile(id)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := damagedIt(file, true); err != nil {
		t.Fatal(out, err)
	}
	if err := os.WriteFile(id, before, 0o600); err != nil { // as if it had not come to that
		t.Fatal(err)
	}
	crash(t, raft)
	for _, do := range []func() (string, error){
		func() (string, error) { return damagedIt(file, false) },
		func() (string, error) { return recoverIt(t, file, false) },
	} {
		if out, err := do(); err != nil || !strings.Contains(out, "CUT SHORT") || strings.Contains(out, "Nothing was changed") {
			t.Errorf("%s, %v", out, err)
		}
	}
	cfg, _, err := conf.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Start(t.Context(), cfg, slog.New(slog.DiscardHandler)); !server.IsDataError(err) ||
		!strings.Contains(err.Error(), "run zkd recover again") || strings.Contains(err.Error(), "another server") {
		t.Errorf("it starts with %v", err)
	}
	if out, err := damagedIt(file, true); err != nil || !strings.Contains(out, "Done") {
		t.Fatal(out, err)
	}
	if out, err := damagedIt(file, true); err == nil || !strings.Contains(err.Error(), "start it") {
		t.Errorf("once it is done: %s, %v", out, err)
	}
	alone = startServers(t, file)
	create(t, alone[0], "/kept/after")
	create(t, alone[0], "/lost")
}
