package conf

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// addDynamicFile reads the file that holds the server lines of an ensemble
// which ZooKeeper has reconfigured, or zkd, which writes the members into it. A
// name relative to nothing is relative to the working directory, as in
// ZooKeeper.
func (l *loader) addDynamicFile() {
	s := l.settings["dynamicConfigFile"]
	if s == nil || s.text == "" {
		return
	}
	both := false
	for _, other := range l.order {
		if other.key != nil && dynamicKey(other.name) {
			both = true
			l.fail(other.at, "parameter: %s must be in a separate dynamic config file", showName(other.name))
		}
	}
	if both {
		return
	}
	data, err := l.readRegular(s.text)
	if err != nil {
		l.cause = err
		if errors.Is(err, fs.ErrNotExist) {
			l.reject(s, "dynamicConfigFile: error processing %s: file is missing", show(s.text))
			return
		}
		l.reject(s, "dynamicConfigFile: error processing %s: %v", show(s.text), pathless(err))
		return
	}
	l.cfg.DynamicVersion = versionFromName(s.text)
	for _, e := range l.parse(s.text, data) {
		l.addDynamic(origin{file: s.text, line: e.line}, e)
	}
	l.checkNext(s)
}

// readRegular is readFile for a file that is no pipe: nobody would know how
// long its other end takes.
func (l *loader) readRegular(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	return l.readFile(path)
}

// addDynamic enters a line of a dynamic file. ZooKeeper refuses one that has
// its version inside; by that line zkd knows what it has written itself.
func (l *loader) addDynamic(at origin, e entry) {
	switch {
	case e.key == "version":
		version, err := strconv.ParseInt(e.value, 16, 64)
		if err != nil || version < 0 {
			l.fail(at, "version=%s is not a hexadecimal number", show(e.value))
			return
		}
		l.cfg.DynamicVersion, l.followed = version, true
	case dynamicKey(e.key):
		l.add(&setting{key: lookup(e.key), name: e.key, text: e.value, hash: e.hash, at: at, rank: rankFile})
	default:
		l.fail(at, "Unrecognised parameter: %s", showName(e.key))
	}
}

// checkNext mentions a view that ZooKeeper had proposed but not committed: it
// may or may not have taken effect there, and the raft log knows nothing of it.
func (l *loader) checkNext(s *setting) {
	if l.cfg.File == "" {
		return
	}
	next := l.cfg.File + ".dynamic.next"
	if _, err := l.readRegular(next); err == nil {
		l.warn(s.at, "%s holds a change of members that ZooKeeper proposed and never saw committed; it is not used", next)
	}
}

// dynamicKey tells whether a key may stand in a dynamic file.
func dynamicKey(name string) bool {
	k := lookup(name)
	return k != nil && (k.Name == "server.*" || k.Name == "group*" || k.Name == "weight*")
}

// versionFromName takes the hexadecimal number behind the last dot.
func versionFromName(path string) int64 {
	n, err := strconv.ParseInt(path[strings.LastIndexByte(path, '.')+1:], 16, 64)
	if err != nil || n < 0 || !strings.Contains(path, ".") {
		return 0
	}
	return n
}
