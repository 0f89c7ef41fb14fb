package server

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zkd/conf"
)

// zookeeperVolume is a copy of directories that a ZooKeeper server wrote.
func zookeeperVolume(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("../proto/zkfile/testdata", name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A server that would show an empty tree where a ZooKeeper server had its data does not start, unless it is told to or
// has data of its own.
func TestZooKeeperVolumeIsRefused(t *testing.T) {
	split := zookeeperVolume(t, "split")
	for name, dirs := range map[string][2]string{
		"dataDir":     {split + "/data", t.TempDir()},
		"dataLogDir":  {t.TempDir(), split + "/log"},
		"a follower":  {zookeeperVolume(t, "follower-3.4"), ""},
		"version-2":   {split + "/data/version-2", ""},
		"not in it":   {zookeeperVolume(t, "above"), ""},
		"none as yet": {split + "/data", split + "/missing"},
	} {
		cfg := testConfig(t, dirs[0], func(c *conf.Config) {
			if dirs[1] != "" {
				c.DataLogDir = dirs[1]
			}
		})
		s, err := Start(t.Context(), cfg, quietLog())
		if err == nil {
			stopServer(t, s)
		}
		if !IsDataError(err) || !strings.Contains(err.Error(), "zkd.startEmpty=true") || !strings.Contains(err.Error(), "zkd import") {
			t.Errorf("%s: %v", name, err)
		}
		if kept, err := keepsData(cfg.DataDir); err != nil || kept {
			t.Errorf("%s: it has left something: %v", name, err)
		}
	}
	if _, err := os.Lstat(split + "/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory was made: %v", err)
	}
}

// Where such data is nearby the server starts, and says so.
func TestZooKeeperVolumeNearbyIsTold(t *testing.T) {
	split := zookeeperVolume(t, "split")
	for name, dir := range map[string]string{"below": split, "in the parent": split + "/data/zkd", "beside": split + "/new"} {
		said := make(chan string, 100)
		log := slog.New(slog.NewTextHandler(collector{said}, &slog.HandlerOptions{Level: slog.LevelWarn}))
		if err := refuseZooKeeperData(testConfig(t, dir, nil), log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		close(said)
		if line := <-said; !strings.Contains(line, "empty tree") || !strings.Contains(line, split+"/data/version-2") {
			t.Errorf("%s: it says %q", name, line)
		}
	}
}

func TestEmptyBesideZooKeeperOnPurpose(t *testing.T) {
	dir := zookeeperVolume(t, "split") + "/data"
	startIn(t, dir, func(c *conf.Config) { c.StartEmpty = true }).Shutdown(t.Context())
	startIn(t, dir, nil) // it has data now
}

func TestNoDataOfZooKeeper(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/version-2", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/myid", []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	startIn(t, dir, nil)
}

// Who does not start makes no directory.
func TestRefusedStartMakesNoDirectory(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, change := range map[string]func(c *conf.Config){
		"the port is taken":      func(c *conf.Config) { c.ClientAddr = taken.Addr().String() },
		"dataLogDir is unusable": func(c *conf.Config) { c.DataLogDir = "/dev/null" },
	} {
		dir := filepath.Join(t.TempDir(), "zkd-data")
		s, err := Start(t.Context(), testConfig(t, dir, change), quietLog())
		if err == nil {
			stopServer(t, s)
			t.Errorf("%s: it has started", name)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a directory is left: %v", name, err)
		}
	}
}
