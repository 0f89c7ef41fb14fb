package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"zkd/conf"
	"zkd/proto/jute"
)

// memberList is the servers of an ensemble by id. A list is replaced, never
// changed.
type memberList []conf.Server

// String is the list as dynamic files have it, a server a line.
func (l memberList) String() string {
	lines := make([]string, len(l))
	for i, s := range l {
		lines[i] = fmt.Sprintf("server.%d=%s", s.ID, s)
	}
	return strings.Join(lines, "\n")
}

// text is what /zookeeper/config and the reply to a reconfig hold.
func (l memberList) text(version int64) string {
	return fmt.Sprintf("%s\nversion=%x", l, uint64(version))
}

// parseMemberList reads what String wrote.
func parseMemberList(text string) (l memberList, err error) {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			return nil, fmt.Errorf("server: no server line: %q", line)
		}
		s, err := conf.ParseServer(key, value)
		if err != nil {
			return nil, fmt.Errorf("server: %s=%s %w", key, value, err)
		}
		l = l.with(s)
	}
	return l, nil
}

// with returns the list with a server added or replaced.
func (l memberList) with(s conf.Server) memberList {
	l = append(l.without(s.ID), s)
	slices.SortFunc(l, func(a, b conf.Server) int { return cmp.Compare(a.ID, b.ID) })
	return l
}

// without returns the list without a server, if it was in there.
func (l memberList) without(id int64) memberList {
	return slices.DeleteFunc(slices.Clone(l), func(s conf.Server) bool { return s.ID == id })
}

// voters counts them.
func (l memberList) voters() (n int) {
	for _, s := range l {
		if !s.Observer {
			n++
		}
	}
	return n
}

// find returns a server of the list, nil if it is not in there.
func (l memberList) find(id int64) *conf.Server {
	for i := range l {
		if l[i].ID == id {
			return &l[i]
		}
	}
	return nil
}

// clash tells whether two servers are to use the same address. Client
// addresses that each host has of its own, wildcard and loopback, are not one.
func (l memberList) clash() bool {
	users := map[string]int64{}
	for _, s := range l {
		var all []conf.HostPort
		for _, a := range s.Addrs {
			all = append(all, a.Quorum(), a.Election())
		}
		for _, a := range []conf.HostPort{s.Client, s.Secure} {
			if ip, err := netip.ParseAddr(a.Host); a.IsSet() && a.Host != "localhost" && (err != nil || !ip.IsUnspecified() && !ip.IsLoopback()) {
				all = append(all, a)
			}
		}
		for _, a := range all {
			name := strings.ToLower(a.String())
			if other, taken := users[name]; taken && other != s.ID {
				return true
			}
			users[name] = s.ID
		}
	}
	return false
}

// change returns the list that a reconfig request makes of this one, or what
// ZooKeeper says instead (PrepRequestProcessor and, for a whole list,
// QuorumPeerConfig.parseDynamicConfig). least is how few voters there may be.
func (l memberList) change(r *jute.ReconfigRequest, least int) (next memberList, code jute.Code) {
	if r.NullMembers {
		next, code = l.leave(r.Leaving)
		if code == jute.OK {
			next, code = next.join(r.Joining)
		}
	} else {
		next, code = wholeList(r.NewMembers, least)
	}
	if code == jute.OK && (next.voters() < least || next.clash()) {
		code = jute.ErrBadArguments
	}
	return next, code
}

// leave takes out the servers of a list of ids. Those that are no members are
// passed over.
func (l memberList) leave(text string) (memberList, jute.Code) {
	for item := range items(text) {
		id, err := strconv.ParseInt(item, 10, 64)
		if err != nil {
			return nil, jute.ErrMarshalling
		}
		l = l.without(id)
	}
	return l, jute.OK
}

// join puts in the servers of a list of lines, each with a client port.
func (l memberList) join(text string) (memberList, jute.Code) {
	for item := range items(text) {
		s, code := joiner(item)
		if code != jute.OK {
			return nil, code
		}
		if l = l.with(s); l.clash() {
			return nil, jute.ErrBadArguments
		}
	}
	return l, jute.OK
}

// joiner reads one server line of the joining ones. Of the name in front of
// its '=' only what follows the last point counts.
func joiner(item string) (s conf.Server, code jute.Code) {
	key, value, ok := strings.Cut(item, "=")
	if !ok || strings.Contains(value, "=") {
		return s, jute.ErrBadArguments
	}
	id := strings.TrimSpace(key[strings.LastIndexByte(key, '.')+1:])
	if _, err := strconv.ParseInt(id, 10, 64); err != nil {
		return s, jute.ErrMarshalling
	}
	s, err := conf.ParseServer("server."+id, strings.TrimSpace(value))
	if err != nil || !s.Client.IsSet() {
		return s, jute.ErrBadArguments
	}
	return s, jute.OK
}

// wholeList reads a list that replaces the one there is.
func wholeList(text string, least int) (l memberList, code jute.Code) {
	for item := range items(strings.ReplaceAll(text, "\n", ",")) {
		s, err := listed(item)
		switch {
		case errors.Is(err, errVersionLine):
		case err != nil:
			return nil, jute.ErrBadArguments
		default:
			l = l.with(s)
		}
	}
	// What has observers and no quorum of its own is a mistake of another kind
	// to ZooKeeper.
	if observers := len(l) - l.voters(); observers > 0 && l.voters() < least {
		return nil, jute.ErrMarshalling
	}
	return l, jute.OK
}

var errVersionLine = errors.New("the version of a list, which counts nothing in a request")

// listed reads one line of a whole list. Groups and weights are refused: raft
// counts plain majorities.
func listed(item string) (s conf.Server, err error) {
	key, value, ok := strings.Cut(item, "=")
	key = strings.TrimSpace(key)
	switch {
	case !ok || !strings.HasPrefix(key, "server.") && key != "version":
		return s, errors.New("no server line")
	case key == "version":
		return s, errVersionLine
	}
	return conf.ParseServer(key, strings.TrimSpace(value))
}

// items cuts at commas, trims, and leaves out what is empty.
func items(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" && !yield(item) {
				return
			}
		}
	}
}
