package zkfile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Directories that real servers wrote, and what looks like one.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"gz/version-2/snapshot.3a.gz": "\x1f\x8b…", "empty/version-2/": "", "nothing/": "",
		"epochs/version-2/acceptedEpoch": "1", "epochs/version-2/currentEpoch": "1", "epochs/myid": "1",
		"odd/version-2/snapshot.ffffffffffffffff": "ZKSN", "odd/version-2/log.txt": "", "odd/version-2/snapshot": "ZKSN",
		"others/log.1": "2026-12-01 started", "others/snapshot.2": "", "cut/version-2/snapshot.0": "",
		"file/version-2": "is no directory", "snappy/snapshot.5.snappy": "\x82SNAPPY\x00",
	} {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil && filepath.Base(name) != "" && name[len(name)-1] != '/' {
			err = os.WriteFile(path, []byte(content), 0o600)
		} else if err == nil {
			err = os.MkdirAll(path, 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		dir, in string
		names   []string
	}{
		{"testdata/split/data", "version-2", []string{"snapshot.0", "snapshot.f"}},
		{"testdata/split/log", "version-2", []string{"log.1", "log.10"}},
		{"testdata/follower-3.4", "version-2", []string{"log.100000001"}},
		{"testdata/above", ".", []string{"log.1", "log.10", "log.17", "snapshot.0", "snapshot.16", "snapshot.f"}},
		{"testdata/split/data/version-2", ".", []string{"snapshot.0", "snapshot.f"}},
		{dir + "/gz", "version-2", []string{"snapshot.3a.gz"}},
		{dir + "/cut", "version-2", []string{"snapshot.0"}},
		{dir + "/snappy", ".", []string{"snapshot.5.snappy"}},
		{dir + "/empty", "", nil},
		{dir + "/nothing", "", nil},
		{dir + "/epochs", "", nil},
		{dir + "/odd", "", nil},
		{dir + "/others", "", nil},
		{dir + "/file", "", nil},
		{dir + "/missing", "", nil},
		{"testdata/split", "", nil},
	} {
		got, err := Find(tt.dir)
		if err != nil {
			t.Errorf("%s: %v", tt.dir, err)
			continue
		}
		if tt.names == nil {
			if got != nil {
				t.Errorf("%s: found %+v", tt.dir, got)
			}
			continue
		}
		if got == nil || got.Dir != filepath.Join(tt.dir, tt.in) || !slices.Equal(got.Names, tt.names) {
			t.Errorf("%s: found %+v", tt.dir, got)
		}
	}
	volume := t.TempDir()
	if err := os.CopyFS(filepath.Join(volume, "old"), os.DirFS("testdata/split")); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(volume, "old", "data", "version-2")
	for dir, want := range map[string]string{
		"old":            data,
		"old/data/zkd":   data, // in the parent
		"old/new":        data, // beside it
		"new":            "",
		"old/data/a/zkd": "",
	} {
		got := Near(filepath.Join(volume, dir))
		if got == nil && want == "" {
			continue
		}
		if got == nil || got.Dir != want {
			t.Errorf("near %s: %+v", dir, got)
		}
	}
}
