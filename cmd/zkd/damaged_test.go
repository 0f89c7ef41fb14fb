package main

import (
	"bytes"
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

// A server alone whose log is damaged says what is left to do; the command says what is lost and changes nothing
// without --yes; with it the server goes on with what was whole, and zxids go up.
func TestRecoverDamaged(t *testing.T) {
	for _, engine := range []string{"wal", "bolt"} {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "zoo.cfg")
			text := fmt.Sprintf("dataDir=%s\ndataLogDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\nzkd.logStore=%s\n",
				filepath.Join(dir, "data"), filepath.Join(dir, "log"), ports.For(t), engine)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			alone := startServers(t, file)
			create(t, alone[0], "/kept")
			for _, path := range []string{"/damaged-one", "/lost"} {
				create(t, alone[0], path)
			}
			before := create(t, alone[0], "/lost/too")
			if out, err := damagedIt(file, false); err == nil || !strings.Contains(err.Error(), "stop the server first") {
				t.Errorf("while it runs: %s, %v", out, err)
			}
			stopServers(t, alone...)
			if out, err := damagedIt(file, true); err == nil || !strings.Contains(err.Error(), "start it") {
				t.Errorf("while nothing is damaged: %s, %v", out, err)
			}
			spoil(t, filepath.Join(dir, "log", "raft"), "/damaged-one")

			cfg, _, err := conf.Load(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := server.Start(t.Context(), cfg, slog.New(slog.DiscardHandler)); !server.IsDataError(err) || !strings.Contains(err.Error(), "zkd recover --damaged") {
				t.Errorf("it starts with %v", err)
			}
			if _, err := recoverIt(t, file, true); err == nil || !strings.Contains(err.Error(), "zkd recover --damaged") {
				t.Errorf("recovered without --damaged: %v", err)
			}
			had := tree(t, dir)
			out, err := damagedIt(file, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"LOST: entries", "damaged ", "raft/aside", "--yes"} {
				if !strings.Contains(out, word) {
					t.Errorf("it does not say %q:\n%s", word, out)
				}
			}
			if fmt.Sprint(tree(t, dir)) != fmt.Sprint(had) {
				t.Error("without --yes it has changed something")
			}
			if out, err = damagedIt(file, true); err != nil || !strings.Contains(out, "Done") {
				t.Fatal(out, err)
			}
			alone = startServers(t, file)
			after := create(t, alone[0], "/kept/after") // below what was whole
			create(t, alone[0], "/lost")                // which is no more
			if after>>32 < before>>32+1<<20 {
				t.Errorf("zxid %#x follows %#x", after, before)
			}
			if _, err := os.Stat(filepath.Join(dir, "data", "raft", "aside", "vote.db")); err != nil {
				t.Errorf("the damaged files are not kept: %v", err)
			}
		})
	}
}

func damagedIt(file string, yes bool) (string, error) {
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	args := []string{"recover", "--damaged", file}
	if yes {
		args = append(args, "--yes")
	}
	root.SetArgs(args)
	err := root.Execute()
	return out.String(), err
}

// spoil damages a text wherever files of a directory have it.
func spoil(t *testing.T, dir, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, []byte(text)) {
			continue
		}
		found = true
		if err := os.WriteFile(path, bytes.ReplaceAll(b, []byte(text), bytes.ToUpper([]byte(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !found {
		t.Fatalf("no %q in %s", text, dir)
	}
}
