package znode

import (
	"slices"
	"strconv"
	"strings"

	"zkd/proto/jute"
)

// A quota on /p is two ordinary znodes that clients make:
// /zookeeper/quota/p/zookeeper_limits arms it and holds the limits,
// /zookeeper/quota/p/zookeeper_stats holds the usage, which the tree keeps up
// to date without touching any Stat (Quotas, StatsTrack, DataTree.updateQuotaStat).
const (
	limitsName = "zookeeper_limits"
	statsName  = "zookeeper_stats"
)

// quotaOf returns the path whose quota znode this is.
func quotaOf(path, name string) (prefix string, ok bool) {
	rest, below := strings.CutPrefix(path, quotaPath)
	if !below || !strings.HasPrefix(rest, "/") {
		return "", false
	}
	return strings.CutSuffix(rest, "/"+name)
}

// quotaPrefix returns the deepest path at or above path that has a quota. One
// on the root does not count, as in ZooKeeper.
func (t *Tree) quotaPrefix(path string) string {
	if len(t.quotas) == 0 {
		return ""
	}
	for path != "" {
		if _, ok := t.quotas[path]; ok {
			return path
		}
		path = path[:strings.LastIndexByte(path, '/')]
	}
	return ""
}

func (t *Tree) quotaCreated(path string, data []byte) {
	if strings.HasPrefix(path, quotaPath) {
		if prefix, ok := quotaOf(path, limitsName); ok {
			t.quotas[prefix] = struct{}{}
		}
		if prefix, ok := quotaOf(path, statsName); ok {
			t.recount(prefix)
		}
	}
	t.addUsage(t.quotaPrefix(path), int64(len(data)), 1)
}

func (t *Tree) quotaDeleted(path string, size int64) {
	if prefix, ok := quotaOf(path, limitsName); ok {
		delete(t.quotas, prefix)
	}
	t.addUsage(t.quotaPrefix(path), -size, -1)
}

func (t *Tree) quotaSet(path string, growth int64) {
	t.addUsage(t.quotaPrefix(path), growth, 0)
}

// armQuotas sets right which quotas are armed, after a rollback.
func (t *Tree) armQuotas(steps []undoStep) {
	if !slices.ContainsFunc(steps, func(s undoStep) bool { return s.kind == undoAdd || s.kind == undoRemove }) {
		return
	}
	if root := t.lookup(quotaPath); len(t.quotas) > 0 || t.firstChild(t.get(root)) != 0 {
		clear(t.quotas)
		t.findQuotas(root)
	}
}

// findQuotas arms the quotas whose limits stand below the znode.
func (t *Tree) findQuotas(id nodeID) {
	for c := t.firstChild(t.get(id)); c != 0; c = t.get(c).next {
		if string(t.name(t.get(c))) == limitsName {
			if prefix, ok := quotaOf(t.path(c), limitsName); ok {
				t.quotas[prefix] = struct{}{}
			}
		}
		t.findQuotas(c)
	}
}

// addUsage adds to the usage kept for prefix. A stats znode that cannot be
// read is counted anew: an apply must not fail on what a client wrote there.
func (t *Tree) addUsage(prefix string, bytes, count int64) {
	if prefix == "" {
		return
	}
	id := t.lookup(quotaPath + prefix + "/" + statsName)
	if id == 0 {
		return
	}
	stats, ok := parseTrack(t.data(t.get(id)))
	if !ok {
		t.recount(prefix)
		return
	}
	stats.bytes, stats.count = stats.bytes+bytes, stats.count+count
	t.replaceData(id, stats.append(nil))
	if bytes <= 0 && count <= 0 {
		return
	}
	limits, _ := parseTrack(t.data(t.get(t.lookup(quotaPath + prefix + "/" + limitsName))))
	if limits.count > -1 && stats.count > limits.count || limits.bytes > -1 && stats.bytes > limits.bytes {
		t.notices = append(t.notices, Notice{OverQuota, prefix})
	}
}

// recount fills the stats znode of prefix by walking the subtree.
func (t *Tree) recount(prefix string) {
	id := t.lookup(quotaPath + prefix + "/" + statsName)
	if id == 0 {
		return
	}
	var stats track
	if root := t.lookup(prefix); root != 0 && prefix != "" {
		stats.count, stats.bytes = t.usage(root)
	}
	stats.byteHard, stats.countHard = -1, -1
	t.replaceData(id, stats.append(nil))
}

func (t *Tree) usage(id nodeID) (count, bytes int64) {
	n := t.get(id)
	count, bytes = 1, int64(max(n.dataLen, 0))
	for c := t.firstChild(n); c != 0; c = t.get(c).next {
		cc, cb := t.usage(c)
		count, bytes = count+cc, bytes+cb
	}
	return count, bytes
}

// checkQuota refuses what would exceed a hard limit. A quota without a znode
// for the usage refuses nothing, one whose usage cannot be read everything
// that it has a limit for (ZooKeeperServer.checkQuota).
func (t *Tree) checkQuota(path string, bytes, count int64) jute.Code {
	if !t.tx.EnforceQuota {
		return jute.OK
	}
	prefix := t.quotaPrefix(path)
	if prefix == "" {
		return jute.OK
	}
	id := t.lookup(quotaPath + prefix + "/" + limitsName)
	data := t.data(t.get(id))
	limits, ok := parseTrack(data)
	if !ok || data == nil {
		return jute.ErrMarshalling
	}
	checkCount := count != 0 && max(limits.count, limits.countHard) > -1
	checkBytes := bytes != 0 && max(limits.bytes, limits.byteHard) > -1
	id = t.lookup(quotaPath + prefix + "/" + statsName)
	if id == 0 || !checkCount && !checkBytes {
		return jute.OK
	}
	data = t.data(t.get(id))
	used, ok := parseTrack(data)
	switch {
	case !ok || data == nil:
		return jute.ErrMarshalling
	case checkCount && limits.countHard > -1 && used.count+count > limits.countHard,
		checkBytes && limits.byteHard > -1 && used.bytes+bytes > limits.byteHard:
		return jute.ErrQuotaExceeded
	}
	return jute.OK
}

// track is the content of a quota znode; -1 is no limit (StatsTrack).
type track struct {
	count, bytes        int64
	countHard, byteHard int64
}

// parseTrack reads key=number pairs between commas or semicolons; anything
// behind a second equals sign is padding for older parsers. Separators at the
// end of a pair or of all do not count, as Java's split has it.
func parseTrack(data []byte) (s track, ok bool) {
	s = track{-1, -1, -1, -1}
	separator := func(c rune) bool { return c == ',' || c == ';' }
	pairs := strings.FieldsFunc(string(data), separator)
	if len(pairs) > 0 && separator(rune(data[0])) {
		return s, false
	}
	for _, pair := range pairs {
		fields := strings.Split(strings.TrimRight(pair, "="), "=")
		if len(fields) < 2 {
			return s, false
		}
		n := int64(-1)
		if fields[1] != "" {
			var err error
			if n, err = strconv.ParseInt(fields[1], 10, 64); err != nil {
				return s, false
			}
		}
		switch fields[0] {
		case "count":
			s.count = n
		case "bytes":
			s.bytes = n
		case "countHardLimit":
			s.countHard = n
		case "byteHardLimit":
			s.byteHard = n
		}
	}
	return s, true
}

// append writes s as StatsTrack.toString does.
func (s track) append(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, "count="...), s.count, 10)
	dst = strconv.AppendInt(append(dst, ",bytes="...), s.bytes, 10)
	if s.byteHard > -1 || s.countHard > -1 {
		dst = append(dst, '=')
	}
	if s.byteHard > -1 {
		dst = strconv.AppendInt(append(dst, ";byteHardLimit="...), s.byteHard, 10)
	}
	if s.countHard > -1 {
		dst = strconv.AppendInt(append(dst, ";countHardLimit="...), s.countHard, 10)
	}
	return dst
}
