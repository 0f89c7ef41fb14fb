package conf

import (
	"strconv"
	"strings"
)

// setServerID finds out who this server is. The file myid decides; without it
// a standalone server is the only one listed, or 1.
func (l *loader) setServerID() {
	if l.get("dataDir") == nil {
		return // reported already, and myid would be looked for elsewhere
	}
	path := l.cfg.myIDPath()
	data, err := l.readFile(path)
	if err != nil {
		if id, set := l.myIDVariable(); set {
			l.isServer(id, origin{source: varMyID})
			return
		}
		// Whatever else is wrong with the directory, the server finds out
		// and ends with the exit code for that.
		l.withoutMyID(path)
		return
	}
	id, ok := l.parseMyID(origin{file: path, line: 1}, data)
	if !ok {
		return
	}
	if v := l.environ[varMyID].value; v != "" && trimJava(v) != strconv.FormatInt(id, 10) {
		l.warn(origin{source: varMyID}, "%s=%s has no effect: %s says %d, and counts, as in ZooKeeper's image", varMyID, show(v), show(path), id)
	}
	l.isServer(id, origin{file: path})
}

// isServer notes which server this is.
func (l *loader) isServer(id int64, at origin) {
	l.cfg.ServerID = id
	if len(l.cfg.Servers) > 0 && l.cfg.Self() == nil {
		l.fail(at, "My id %d not in the peer list", id)
	}
	l.checkPeerType()
}

func (l *loader) withoutMyID(path string) {
	switch {
	case !l.cfg.StandaloneEnabled && len(l.cfg.Servers) == 0:
		// The missing server lines are reported already.
	case l.cfg.EnsembleMode():
		// Guessing from local addresses would give two servers one identity
		// as soon as a host is cloned.
		l.fail(origin{}, "myid file is missing: %s; write the N of this server's server.N line into it, for example: echo 1 > %s; or set %s", show(path), show(path), varMyID)
	case len(l.cfg.Servers) == 1:
		l.cfg.ServerID = l.cfg.Servers[0].ID
	default:
		l.cfg.ServerID = 1
	}
}

// parseMyID takes the first line, as ZooKeeper does, but forgives blanks.
func (l *loader) parseMyID(at origin, data []byte) (int64, bool) {
	line, _, _ := strings.Cut(string(data), "\n")
	line, bom := strings.CutPrefix(strings.TrimSuffix(line, "\r"), byteOrderMark)
	text := trimJava(line)
	id, err := strconv.ParseInt(text, 10, 64)
	switch {
	case isUTF16(data):
		l.fail(at, "the file is UTF-16 text, as its byte order mark says; it must hold this server's number in plain text")
		return 0, false
	case text == "":
		l.fail(at, "the file is empty; it must hold this server's number")
		return 0, false
	case err != nil:
		l.fail(at, "serverid %s is not a number", show(text))
		return 0, false
	case id < 0 || id > maxServerID+1:
		l.fail(at, "serverid %d is not allowed; allowed: 1 to %d", id, maxServerID)
		return 0, false
	case bom:
		l.warn(at, "the byte order mark in front of the number, which ZooKeeper would refuse, is dropped")
	case text != line:
		l.note(at, "blanks around the number, which ZooKeeper would refuse, are dropped")
	}
	l.checkServerID(at, "serverid "+text, id)
	return id, true
}

// checkPeerType compares the key, which ZooKeeper no longer needs, to the list.
func (l *loader) checkPeerType() {
	s, self := l.get("peerType"), l.cfg.Self()
	if s != nil && self != nil && !strings.EqualFold(s.text, self.Role()) {
		l.warn(s.at, "peerType=%s disagrees with server.%d, which says %s and wins", s.text, self.ID, self.Role())
	}
}
