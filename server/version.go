package server

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// Set by the linker: -X zkd/server.Version=1.2.3 -X zkd/server.BuildDate=RFC3339.
var (
	Version   = "0.1.0"
	BuildDate = ""
)

// emulated is the ZooKeeper release whose behaviour this server has. Monitors
// compare the version that srvr and mntr print, so it comes first there.
const emulated = "3.9.5"

// versionLine is what ZooKeeper calls its full version. Every parser known
// takes this form of the date and these characters.
func versionLine() string {
	return fmt.Sprintf("%s-zkd-%s, built on %s", emulated, Version, buildTime().UTC().Format("01/02/2006 15:04 GMT"))
}

// buildTime is the date the linker was given, else that of the commit, else
// that of the file.
func buildTime() time.Time {
	date := BuildDate
	if info, ok := debug.ReadBuildInfo(); ok && date == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				date = s.Value
			}
		}
	}
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

// FullVersion says which zkd this is and which ZooKeeper it behaves as.
func FullVersion() string {
	return fmt.Sprintf("zkd %s, behaves as ZooKeeper %s, built on %s", Version, emulated, buildTime().UTC().Format(time.DateTime+" UTC"))
}
