package znode

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"zkd/proto/jute"
)

// aclID names an interned ACL list.
type aclID uint32

// openACL is world:anyone with every permission, which most znodes have. It
// is never counted nor freed.
const openACL aclID = 1

// acls interns ACL lists: one copy for all the znodes that share it.
type acls struct {
	lists []aclList // index aclID; 0 is unused
	ids   map[string]aclID
	key   []byte // scratch of acquire
	free  []aclID
	dead  []aclID // nobody refers to them any more; their events may still be on their way
}

type aclList struct {
	key  string // the encoded vector
	acl  []jute.ACL
	sum  uint64 // aclSum of key
	refs int
}

func newACLs() acls {
	a := acls{lists: make([]aclList, 1), ids: map[string]aclID{}}
	a.acquire([]jute.ACL{{Perms: jute.PermAll, ID: jute.ID{Scheme: "world", ID: "anyone"}}})
	return a
}

// acquire returns the id of a list and counts one more use of it. It copies
// what it keeps.
func (a *acls) acquire(list []jute.ACL) aclID {
	a.key = jute.AppendACLs(a.key[:0], list)
	if id, ok := a.ids[string(a.key)]; ok {
		a.lists[id].refs++
		return id
	}
	key := string(a.key)
	r := jute.NewReader([]byte(key))
	own, _ := jute.DecodeACLs(&r)
	entry := aclList{key: key, acl: own, sum: aclSum(a.key), refs: 1}
	var id aclID
	if n := len(a.free); n > 0 {
		id = a.free[n-1]
		a.free = a.free[:n-1]
		a.lists[id] = entry
	} else {
		id = aclID(len(a.lists))
		a.lists = append(a.lists, entry)
	}
	a.ids[key] = id
	return id
}

// release counts one use less.
func (a *acls) release(id aclID) {
	if id == openACL {
		return
	}
	if l := &a.lists[id]; l.refs > 1 {
		l.refs--
		return
	}
	a.dead = append(a.dead, id)
}

// sweep forgets the lists that nobody refers to.
func (a *acls) sweep() {
	for _, id := range a.dead {
		l := &a.lists[id]
		if l.refs--; l.refs > 0 {
			continue // taken up again since
		}
		delete(a.ids, l.key)
		*l = aclList{}
		a.free = append(a.free, id)
	}
	a.dead = a.dead[:0]
}

// Actor is who asks: the identities of a connection, and whether the server
// checks permissions at all.
type Actor struct {
	IDs     []jute.ID
	SkipACL bool
}

// Readable tells whether a may read what ACL id protects: the test that an
// event must pass before it is delivered.
func (t *Tree) Readable(id ACL, a *Actor) bool { return t.allowed(aclID(id), jute.PermRead, a) }

// allowed tells whether the list grants any of the perms (ZooKeeperServer.checkACL).
func (t *Tree) allowed(id aclID, perms int32, a *Actor) bool {
	if id == openACL || a.SkipACL {
		return true
	}
	for i := range a.IDs {
		if a.IDs[i].Scheme == "super" {
			return true
		}
	}
	list := t.acls.lists[id].acl
	for i := range list {
		e := &list[i]
		if e.Perms&perms == 0 {
			continue
		}
		if e.ID.Scheme == "world" && e.ID.ID == "anyone" {
			return true
		}
		for j := range a.IDs {
			if a.IDs[j].Scheme == e.ID.Scheme && matches(e.ID.Scheme, a.IDs[j].ID, e.ID.ID) {
				return true
			}
		}
	}
	return false
}

// matches is the provider's comparison of who somebody is with whom an entry names.
func matches(scheme, who, entry string) bool {
	switch scheme {
	case "digest":
		return who == entry
	case "ip":
		return ipMatches(who, entry)
	}
	return false
}

func ipMatches(who, entry string) bool {
	net, ok := parseIPEntry(entry)
	if !ok {
		return false
	}
	addr, err := netip.ParseAddr(who)
	return err == nil && net.Contains(addr.Unmap().WithZone(""))
}

// parseIPEntry reads an address with an optional number of bits. Only those
// bits of the address count.
func parseIPEntry(entry string) (netip.Prefix, bool) {
	host, bits, hasBits := strings.Cut(entry, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	n := addr.BitLen()
	if hasBits {
		if n, err = strconv.Atoi(bits); err != nil {
			return netip.Prefix{}, false
		}
	}
	p, err := addr.Prefix(n)
	return p, err == nil
}

// fixACL checks a list given by a client and resolves what stands for the
// client itself (PrepRequestProcessor.fixupACL). It fails with InvalidACL, or
// with MarshallingError where ZooKeeper dereferences a null scheme or id.
func fixACL(list []jute.ACL, who []jute.ID) (fixed []jute.ACL, code jute.Code) {
	if comparesNull(list) {
		return nil, jute.ErrMarshalling
	}
	// Duplicates go before auth is resolved, so what it stands for may come
	// twice, as in ZooKeeper.
	for _, e := range dropDuplicates(list) {
		ok := false
		switch e.ID.Scheme {
		case "world", "digest", "ip":
			if e.ID.ID == jute.NullText {
				return nil, jute.ErrMarshalling
			}
			ok = validEntry(e.ID)
			fixed = append(fixed, e)
		case "auth":
			fixed, ok = appendOwn(fixed, e.Perms, who)
		}
		if !ok {
			return nil, jute.ErrInvalidACL
		}
	}
	if len(fixed) == 0 {
		return nil, jute.ErrInvalidACL
	}
	return fixed, jute.OK
}

// validEntry tells whether the scheme's provider takes the id.
func validEntry(id jute.ID) bool {
	switch id.Scheme {
	case "world":
		return id.ID == "anyone"
	case "digest":
		return validDigestID(id.ID)
	}
	_, ok := parseIPEntry(id.ID)
	return ok
}

// comparesNull tells whether ZooKeeper's search for duplicates dereferences a
// null: it compares an entry with those before it by permissions, scheme and
// id, in this order and as far as they are equal (PrepRequestProcessor.removeDuplicates).
func comparesNull(list []jute.ACL) bool {
	isNull := func(e jute.ACL) bool { return e.ID.Scheme == jute.NullText || e.ID.ID == jute.NullText }
	if !slices.ContainsFunc(list, isNull) {
		return false
	}
	before := map[jute.ACL]bool{}
	for _, e := range list {
		perms := jute.ACL{Perms: e.Perms, ID: jute.ID{Scheme: jute.NullText}}
		scheme := jute.ACL{Perms: e.Perms, ID: jute.ID{Scheme: e.ID.Scheme}}
		if e.ID.Scheme == jute.NullText && before[perms] || e.ID.ID == jute.NullText && before[scheme] {
			return true
		}
		before[perms], before[scheme] = true, true
	}
	return false
}

// appendOwn expands the scheme auth: an entry for each identity that the
// client proved. An address proves nothing, and super is not to be stored.
func appendOwn(list []jute.ACL, perms int32, who []jute.ID) ([]jute.ACL, bool) {
	n := len(list)
	for _, id := range who {
		if id.Scheme == "digest" {
			list = append(list, jute.ACL{Perms: perms, ID: id})
		}
	}
	return list, len(list) > n
}

// validDigestID wants two parts around a colon; as Java's split does, empty
// parts at the end do not count.
func validDigestID(id string) bool {
	parts := strings.Split(strings.TrimRight(id, ":"), ":")
	return len(parts) == 2 && parts[1] != ""
}

// dropDuplicates returns list without the entries that stand in it before. A
// frame holds enough of them for comparing each with each to take seconds, so
// those of a long list are remembered.
func dropDuplicates(list []jute.ACL) []jute.ACL {
	const long = 32
	var seen map[jute.ACL]struct{}
	if len(list) > long {
		seen = make(map[jute.ACL]struct{}, len(list))
	}
	out := list[:0]
	for _, e := range list {
		if seen != nil {
			if _, twice := seen[e]; twice {
				continue
			}
			seen[e] = struct{}{}
		} else if slices.Contains(out, e) {
			continue
		}
		out = append(out, e)
	}
	return out
}

// maskDigests hides the hashes of digest entries from those who may not
// administer the znode (FinalRequestProcessor.handleGetACLRequest).
func maskDigests(list []jute.ACL) []jute.ACL {
	out := make([]jute.ACL, len(list))
	for i, e := range list {
		if e.ID.Scheme == "digest" {
			user, _, _ := strings.Cut(e.ID.ID, ":")
			e.ID.ID = user + ":x"
		}
		out[i] = e
	}
	return out
}
