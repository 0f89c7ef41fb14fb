package server

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// Version is that of the release. It is part of the source, so that it is the
// same however the program was made: run, built, or built without git.
const Version = "0.1.0"

// emulated is the ZooKeeper release whose behaviour this server has. Monitors
// compare the version that srvr and mntr print, so it comes first there.
const emulated = "3.9.5"

// versionLine is what ZooKeeper calls its full version. Every parser known
// takes this form of the date and these characters.
func versionLine() string {
	return fmt.Sprintf("%s-zkd-%s, built on %s", emulated, Version, buildTime().UTC().Format("01/02/2006 15:04 GMT"))
}

// buildTime is the date of the commit, where the program was built in a clone,
// else that of the file.
func buildTime() time.Time {
	_, _, date := commit()
	if t, err := time.Parse(time.RFC3339, date); err == nil {
		return t
	}
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			return info.ModTime()
		}
	}
	return time.Unix(0, 0)
}

// commit is what go build has noted of git, "" where there was none.
func commit() (revision string, changed bool, date string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false, ""
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			changed = s.Value == "true"
		case "vcs.time":
			date = s.Value
		}
	}
	return revision, changed, date
}

// FullVersion says which zkd this is and which ZooKeeper it behaves as, and in
// a second line, where that is known, of which commit it was made.
func FullVersion() string {
	s := fmt.Sprintf("zkd %s, behaves as ZooKeeper %s", Version, emulated)
	revision, changed, date := commit()
	if revision != "" {
		s += fmt.Sprintf("\ncommit %s of %s", revision, date)
	}
	if changed {
		s += ", changed since"
	}
	return s
}
