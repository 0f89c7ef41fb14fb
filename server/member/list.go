// Package member has the list of an ensemble's servers: how it is written, what a reconfig may make of it, how it differs
// from a zoo.cfg, and the dynamic file that follows it. It knows the list, not who is up: that is package consensus.
package member

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

// List is the servers of an ensemble by id. A list is replaced, never changed.
type List []conf.Server

// String is the list as dynamic files have it, a server a line.
func (l List) String() string { return strings.Join(l.Lines(), "\n") }

// Text is what /zookeeper/config and the reply to a reconfig hold.
func (l List) Text(version int64) string {
	return fmt.Sprintf("%s\nversion=%x", l, uint64(version))
}

// longest is how many bytes a list may have as text. It is in each snapshot, and
// /zookeeper/config shows it to every client.
const longest = 256 << 10

func (l List) tooLong() bool { return len(l.String()) > longest }

// mostServers is how many ids there are.
const mostServers = 256

// Parse reads what String wrote.
func Parse(text string) (l List, err error) {
	for line := range strings.Lines(text) {
		s, err := parseLine(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		l = l.With(s)
	}
	return l, nil
}

func parseLine(line string) (s conf.Server, err error) {
	key, value, ok := strings.Cut(line, "=")
	if !ok {
		return s, fmt.Errorf("member: no server line: %q", line)
	}
	if s, err = conf.ParseServer(key, value); err != nil {
		return s, fmt.Errorf("member: %s=%s %w", key, value, err)
	}
	return s, nil
}

// With returns the list with a server added or replaced.
func (l List) With(s conf.Server) List {
	l = append(l.Without(s.ID), s)
	slices.SortFunc(l, func(a, b conf.Server) int { return cmp.Compare(a.ID, b.ID) })
	return l
}

// Without returns the list without a server, if it was in there.
func (l List) Without(id int64) List {
	return slices.DeleteFunc(slices.Clone(l), func(s conf.Server) bool { return s.ID == id })
}

// Voters counts them.
func (l List) Voters() (n int) {
	for _, s := range l {
		if !s.Observer {
			n++
		}
	}
	return n
}

// Find returns a server of the list, nil if it is not in there.
func (l List) Find(id int64) *conf.Server {
	for i := range l {
		if l[i].ID == id {
			return &l[i]
		}
	}
	return nil
}

// clash tells whether two servers are to use the same address. Client
// addresses that each host has of its own, wildcard and loopback, are not one.
func (l List) clash() bool {
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

// Change returns the list that a reconfig request makes of this one, or what
// ZooKeeper says instead (PrepRequestProcessor and, for a whole list,
// QuorumPeerConfig.parseDynamicConfig). least is how few voters there may be.
func (l List) Change(r *jute.ReconfigRequest, least int) (next List, code jute.Code) {
	if r.NullMembers {
		next, code = l.leave(r.Leaving)
		if code == jute.OK {
			next, code = next.join(r.Joining)
		}
	} else {
		next, code = wholeList(r.NewMembers, least)
	}
	if code == jute.OK && (next.Voters() < least || next.clash() || next.nowhere() || next.tooLong()) {
		code = jute.ErrBadArguments
	}
	return next, code
}

// leave takes out the servers of a list of ids. Those that are no members are
// passed over.
func (l List) leave(text string) (List, jute.Code) {
	for item := range items(text) {
		id, err := strconv.ParseInt(item, 10, 64)
		if err != nil {
			return nil, jute.ErrMarshalling
		}
		l = l.Without(id)
	}
	return l, jute.OK
}

// join puts in the servers of a list of lines, each with a client port.
func (l List) join(text string) (List, jute.Code) {
	for item := range items(text) {
		s, code := joiner(item)
		if code != jute.OK {
			return nil, code
		}
		if l = l.With(s); l.clash() {
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
func wholeList(text string, least int) (l List, code jute.Code) {
	for item := range items(strings.ReplaceAll(text, "\n", ",")) {
		s, err := listed(item)
		switch {
		case errors.Is(err, errVersionLine):
		case err != nil:
			return nil, jute.ErrBadArguments
		default:
			l = l.With(s)
		}
	}
	// What has observers and no quorum of its own is a mistake of another kind
	// to ZooKeeper.
	if observers := len(l) - l.Voters(); observers > 0 && l.Voters() < least {
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
