package main

import (
	"bytes"
	"errors"
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

// A log that the file does not name is not damaged: the command says what a start says and changes nothing, unless it is
// told that the log is lost. Where that was not so, the log is still not called damaged.
func TestRecoverDamagedLogElsewhere(t *testing.T) {
	for _, engine := range []string{"wal", "bolt"} {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "zoo.cfg")
			port := ports.For(t)
			logIn := func(line string) {
				text := fmt.Sprintf("dataDir=%s\n%s\nclientPort=%d\nclientPortAddress=127.0.0.1\nzkd.logStore=%s\nsnapCount=20\n",
					filepath.Join(dir, "data"), line, port, engine)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			right, wrong := "dataLogDir="+filepath.Join(dir, "log"), "dataLogDir="+filepath.Join(dir, "log2")
			logIn(right)
			alone := startServers(t, file)
			for i := range 30 {
				create(t, alone[0], fmt.Sprintf("/n%d", i))
			}
			stopServers(t, alone...)
			had := fmt.Sprint(tree(t, filepath.Join(dir, "data")), tree(t, filepath.Join(dir, "log")))
			for line, hint := range map[string]string{wrong: "not mounted?", "": "was a dataLogDir line taken out"} {
				logIn(line)
				for _, yes := range []bool{false, true} {
					out, err := damagedIt(file, yes)
					var code *exitCode
					if !errors.As(err, &code) || code.code != exitData || !strings.Contains(err.Error(), hint) ||
						!strings.Contains(err.Error(), "--log-lost") || strings.Contains(out, "LOST") {
						t.Errorf("%q: %s, %v", line, out, err)
					}
				}
			}
			if fmt.Sprint(tree(t, filepath.Join(dir, "data")), tree(t, filepath.Join(dir, "log"))) != had {
				t.Fatal("it has changed something")
			}
			logIn(wrong)
			if out, err := damagedIt(file, false, "--log-lost"); err != nil || !strings.Contains(out, "LOST: ") {
				t.Errorf("the log is lost: %s, %v", out, err)
			}
			logIn(right) // and not lost
			alone = startServers(t, file)
			create(t, alone[0], "/n29/still")
			stopServers(t, alone...)

			logIn(wrong)
			if out, err := damagedIt(file, true, "--log-lost"); err != nil || !strings.Contains(out, "Done") {
				t.Fatal(out, err)
			}
			stopServers(t, startServers(t, file)...)
			logIn(right)
			had = fmt.Sprint(tree(t, filepath.Join(dir, "log")))
			for _, flags := range [][]string{nil, {"--log-lost"}} {
				if out, err := damagedIt(file, true, flags...); err == nil || !strings.Contains(err.Error(), "belongs to another data directory") {
					t.Errorf("%s, %v", out, err)
				}
			}
			if fmt.Sprint(tree(t, filepath.Join(dir, "log"))) != had {
				t.Error("another's log was changed")
			}
		})
	}
}

func TestLogLostGoesWithDamaged(t *testing.T) {
	root := newRoot()
	root.SetArgs([]string{"recover", "--log-lost", "zoo.cfg"})
	var code *exitCode
	if err := root.Execute(); !errors.As(err, &code) || code.code != exitConfig {
		t.Error(err)
	}
}

func damagedIt(file string, yes bool, flags ...string) (string, error) {
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	args := append([]string{"recover", "--damaged", file}, flags...)
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
