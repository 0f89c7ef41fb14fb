package oracle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"zkd/test/wire"
)

// reader answers reads from the model as a server should have answered them. It keeps its buffer.
type reader struct {
	m   *model
	buf []byte
}

// wrong compares a reply with the model's state. It returns what is wrong with it, "" if nothing is; judged is unset if
// the model cannot tell.
func (r *reader) wrong(session int64, i *Item) (complaint string, judged bool) {
	switch b := i.Body.(type) {
	case wire.PathWatch:
		if b.Path == configPath {
			return "", false
		}
		return r.node(i.Op, b.Path, i), true
	case wire.Path:
		switch i.Op {
		case wire.OpGetEphemerals:
			return r.ephemerals(session, string(b), i), true
		case wire.OpAllChildrenNumber:
			return r.descendants(string(b), i), true
		case wire.OpGetACL:
			return r.acl(string(b), i), string(b) != configPath
		}
	case wire.Multi:
		if i.Op == wire.OpMultiRead {
			return r.multi(b, i), true
		}
	}
	return "", false
}

// ephemeral tells whether a read was about an ephemeral: one that there is, or one that was shown.
func (r *reader) ephemeral(i *Item) bool {
	b, ok := i.Body.(wire.PathWatch)
	if !ok {
		return i.Op == wire.OpGetEphemerals
	}
	n := r.m.lookup(b.Path)
	if n != nil && n.owner != 0 {
		return true
	}
	if i.Code != 0 {
		return false
	}
	f, err := wire.DecodeFields(i.Op, i.Reply)
	return err == nil && f.Stat != nil && f.Stat.EphemeralOwner != 0
}

func unexpected(got, want wire.Code) string { return fmt.Sprintf("%v, should be %v", got, want) }

// code is what a read of a path gives, and the znode if it is OK.
func (r *reader) code(path string) (*node, wire.Code) {
	n := r.m.lookup(path)
	switch {
	case n == nil:
		return nil, wire.CodeNoNode
	case !allowed(n.acl, permRead, nil):
		return nil, wire.CodeNoAuth
	}
	return n, 0
}

func (r *reader) node(op wire.Op, path string, i *Item) string {
	n, code := r.code(path)
	if op == wire.OpExists && strings.IndexByte(path, 0) >= 0 {
		code = wire.CodeBadArguments
	}
	if i.Code != code {
		return unexpected(i.Code, code)
	}
	if code != 0 {
		return ""
	}
	return r.fits(op, n, i.Reply)
}

// fits compares the body of a successful read with a znode.
func (r *reader) fits(op wire.Op, n *node, reply []byte) string {
	r.buf = r.buf[:0]
	switch op {
	case wire.OpExists:
		r.buf = appendStat(r.buf, n.stat())
	case wire.OpGetData:
		r.buf = appendStat(appendBuffer(r.buf, n.data), n.stat())
	case wire.OpGetChildren, wire.OpGetChildren2:
		f, err := wire.DecodeFields(op, reply)
		if err != nil {
			return err.Error()
		}
		if f.Stat != nil && *f.Stat != n.stat() {
			return fmt.Sprintf("%+v, should be %+v", *f.Stat, n.stat())
		}
		return sameSet(f.Names, len(n.children), func(name string) bool { _, ok := n.children[name]; return ok })
	}
	if bytes.Equal(r.buf, reply) {
		return ""
	}
	got, _ := wire.DecodeFields(op, reply)
	want, _ := wire.DecodeFields(op, r.buf)
	return fmt.Sprintf("%s, should be %s", show(got), show(want))
}

func show(f wire.Fields) string {
	if f.Stat == nil {
		return fmt.Sprintf("%q", f.Data)
	}
	return fmt.Sprintf("%.60q %+v", f.Data, *f.Stat)
}

// sameSet compares names without regard to their order.
func sameSet(names []string, n int, has func(string) bool) string {
	if len(names) != n {
		return fmt.Sprintf("%d names, should be %d: %.300q", len(names), n, names)
	}
	for i, name := range names {
		if !has(name) {
			return fmt.Sprintf("%q, which should not be there", name)
		}
		if n <= 64 && slices.Contains(names[:i], name) {
			return fmt.Sprintf("%q twice", name)
		}
	}
	return ""
}

func (r *reader) ephemerals(session int64, prefix string, i *Item) string {
	if i.Code != 0 {
		return unexpected(i.Code, 0)
	}
	f, err := wire.DecodeFields(i.Op, i.Reply)
	if err != nil {
		return err.Error()
	}
	if p := strings.TrimSpace(prefix); p == "" || p == "/" || prefix == wire.Null {
		prefix = "/"
	}
	n := 0
	s := r.m.sessions[session]
	if s == nil {
		return sameSet(f.Names, 0, nil)
	}
	for path := range s.ephemerals {
		if strings.HasPrefix(path, prefix) {
			n++
		}
	}
	return sameSet(f.Names, n, func(path string) bool { _, ok := s.ephemerals[path]; return ok })
}

func (r *reader) descendants(path string, i *Item) string {
	_, code := r.code(path)
	if i.Code != code {
		return unexpected(i.Code, code)
	}
	if code != 0 {
		return ""
	}
	want := 0
	prefix := strings.TrimSuffix(path, "/") + "/"
	for p := range r.m.nodes {
		if strings.HasPrefix(p, prefix) && (p != "/" || path == "") {
			want++
		}
	}
	if got := int(binary.BigEndian.Uint32(i.Reply)); got != want {
		return fmt.Sprintf("%d descendants, should be %d", got, want)
	}
	return ""
}

func (r *reader) acl(path string, i *Item) string {
	n := r.m.lookup(path)
	switch {
	case n == nil:
		if i.Code != wire.CodeNoNode {
			return unexpected(i.Code, wire.CodeNoNode)
		}
		return ""
	case !allowed(n.acl, permRead|permAdmin, nil):
		if i.Code != wire.CodeNoAuth {
			return unexpected(i.Code, wire.CodeNoAuth)
		}
		return ""
	case i.Code != 0:
		return unexpected(i.Code, 0)
	}
	f, err := wire.DecodeFields(i.Op, i.Reply)
	if err != nil {
		return err.Error()
	}
	want := n.acl
	if want == nil {
		want = wire.OpenACL
	}
	if len(f.ACL) != len(want) {
		return fmt.Sprintf("%v, should be %v", f.ACL, want)
	}
	for k, a := range f.ACL {
		// The secrets of digest entries are hidden from some.
		if a.Perms != want[k].Perms || a.Scheme != want[k].Scheme || a.Scheme != "digest" && a.ID != want[k].ID {
			return fmt.Sprintf("%v, should be %v", f.ACL, want)
		}
	}
	if *f.Stat != n.stat() {
		return fmt.Sprintf("%+v, should be %+v", *f.Stat, n.stat())
	}
	return ""
}

func (r *reader) multi(ops wire.Multi, i *Item) string {
	if i.Code != 0 {
		return unexpected(i.Code, 0)
	}
	results, err := wire.DecodeResults(i.Reply)
	if err != nil {
		return err.Error()
	}
	if len(results) != len(ops.Ops) {
		return fmt.Sprintf("%d results of %d reads", len(results), len(ops.Ops))
	}
	for k, got := range results {
		b, ok := ops.Ops[k].Body.(wire.PathWatch)
		if !ok || b.Path == configPath {
			continue
		}
		n, code := r.code(b.Path)
		switch {
		case got.Err != code:
			return fmt.Sprintf("read %d: %s", k, unexpected(got.Err, code))
		case code != 0:
		case ops.Ops[k].Op == wire.OpGetData:
			if !bytes.Equal(got.Data, n.data) || (got.Data == nil) != (n.data == nil) || *got.Stat != n.stat() {
				return fmt.Sprintf("read %d: %s, should be %.60q %+v", k, show(got.Fields), n.data, n.stat())
			}
		default:
			if s := sameSet(got.Names, len(n.children), func(name string) bool { _, ok := n.children[name]; return ok }); s != "" {
				return fmt.Sprintf("read %d: %s", k, s)
			}
		}
	}
	return ""
}
