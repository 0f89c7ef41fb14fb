package script

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"zkd/test/wire"
)

// form turns what came off the wire into transcript text in which equal behaviour reads equal.
type form struct {
	root     string
	sessions map[int64]string // id → the name that opened it
	times    map[int64]int64  // zxid → the one time its transaction has
}

// zxid is written as a mark that resolve later replaces by the zxid's rank in the case.
func (f *form) zxid(z int64) string {
	if z == 0 || z == -1 {
		return strconv.FormatInt(z, 10)
	}
	return fmt.Sprintf("\x01%d\x02", z)
}

var zxidMark = regexp.MustCompile("\x01(-?[0-9]+)\x02")

// resolve names zxids z1, z2, … in rising order. Rank rather than first appearance, because then the order of any
// two zxids can be read off the transcript.
func resolve(text string) string {
	var all []int64
	for _, m := range zxidMark.FindAllStringSubmatch(text, -1) {
		z, _ := strconv.ParseInt(m[1], 10, 64)
		all = append(all, z)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	rank, last := map[int64]int{}, 0
	for _, z := range all {
		// The beginning of an epoch is no transaction: a server that shows it is where it was before.
		if begins := z > 0 && uint32(z) == 0; !begins || last == 0 {
			last++
		}
		rank[z] = last
	}
	return zxidMark.ReplaceAllStringFunc(text, func(m string) string {
		z, _ := strconv.ParseInt(m[1:len(m)-1], 10, 64)
		return fmt.Sprintf("z%d", rank[z])
	})
}

// session names a session id.
func (f *form) session(id int64) string {
	if id == 0 {
		return "0"
	}
	if name, ok := f.sessions[id]; ok {
		return name
	}
	return fmt.Sprintf("unknown(%#x)", uint64(id))
}

// text shows a path, name or id: bare when that is unambiguous, else quoted.
func (f *form) text(s string) string {
	if s == wire.Null {
		return "null"
	}
	s = strings.ReplaceAll(s, f.root, "~")
	plain := s != "" && s != "null" && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar || r == '"'
	})
	if plain {
		return s
	}
	return strconv.QuoteToASCII(s)
}

func (f *form) data(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case len(b) > 400:
		return fmt.Sprintf("bytes(%d)", len(b))
	}
	return strconv.QuoteToASCII(strings.ReplaceAll(string(b), f.root, "~"))
}

func (f *form) stat(s *wire.Stat) string {
	owner := f.session(s.EphemeralOwner)
	out := fmt.Sprintf("{czxid=%s mzxid=%s pzxid=%s version=%d cversion=%d aversion=%d owner=%s len=%d children=%d}",
		f.zxid(s.Czxid), f.zxid(s.Mzxid), f.zxid(s.Pzxid), s.Version, s.Cversion, s.Aversion, owner, s.DataLength,
		s.NumChildren)
	return out + f.time("ctime", s.Czxid, s.Ctime) + f.time("mtime", s.Mzxid, s.Mtime)
}

// time says nothing when a time is what it has to be: always the same for one zxid, 0 for zxid 0, and near the wall
// clock that server and test share.
func (f *form) time(name string, zxid, ms int64) string {
	if zxid == 0 {
		if ms != 0 {
			return fmt.Sprintf(" %s=%d", name, ms)
		}
		return ""
	}
	if known, ok := f.times[zxid]; ok && known != ms {
		return fmt.Sprintf(" %s=%+dms", name, ms-known)
	}
	f.times[zxid] = ms
	if off := time.Since(time.UnixMilli(ms)); off < -2*time.Second || off > 2*time.Minute {
		return fmt.Sprintf(" %s=off by %v", name, off)
	}
	return ""
}

func (f *form) acl(acl []wire.ACL) string {
	var v []string
	for _, a := range acl {
		v = append(v, fmt.Sprintf("%d:%s:%s", a.Perms, f.text(a.Scheme), f.text(a.ID)))
	}
	return "[" + strings.Join(v, " ") + "]"
}

// names are shown sorted: ZooKeeper promises no order.
func (f *form) names(names []string) string {
	var v []string
	for _, n := range names {
		v = append(v, f.text(n))
	}
	slices.Sort(v)
	return "[" + strings.Join(v, " ") + "]"
}

// fields shows the body of a reply or of a multi result.
func (f *form) fields(b wire.Fields, sorted bool) string {
	var v []string
	if b.Path != nil {
		v = append(v, f.text(*b.Path))
	}
	if b.HasData {
		v = append(v, f.data(b.Data))
	}
	if b.Names != nil {
		v = append(v, f.names(b.Names))
	}
	if b.ACL != nil {
		acl := slices.Clone(b.ACL)
		if sorted {
			slices.SortFunc(acl, func(x, y wire.ACL) int { return strings.Compare(x.Scheme+x.ID, y.Scheme+y.ID) })
		}
		v = append(v, f.acl(acl))
	}
	if b.Clients != nil {
		var ids []string
		for _, c := range b.Clients {
			ids = append(ids, f.text(c.Scheme)+":"+f.text(c.User))
		}
		slices.Sort(ids)
		v = append(v, "["+strings.Join(ids, " ")+"]")
	}
	if b.Number != nil {
		v = append(v, strconv.Itoa(int(*b.Number)))
	}
	if b.Stat != nil {
		v = append(v, f.stat(b.Stat))
	}
	if len(v) == 0 {
		return ""
	}
	return " " + strings.Join(v, " ")
}

// result shows one line of a multi reply.
func (f *form) result(r wire.Result) string {
	if r.Type != -1 {
		out := fmt.Sprintf("type %d%s", r.Type, f.fields(r.Fields, false))
		if r.Err != 0 {
			out += fmt.Sprintf(" header says %v", r.Err)
		}
		return out
	}
	if r.Err != r.Code {
		return fmt.Sprintf("error %v, header says %v", r.Code, r.Err)
	}
	return fmt.Sprintf("error %v", r.Code)
}

func (f *form) event(e *wire.Event) string {
	out := fmt.Sprintf("event %v %s %s", e.Type, f.text(e.Path), f.zxid(e.Zxid))
	if e.State != 3 || e.Err != 0 {
		out += fmt.Sprintf(" state=%d err=%d", e.State, e.Err)
	}
	return out
}
