package znode

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"zkd/proto/jute"
)

// chooser makes the choices of a random test: a generator, or the bytes of a
// fuzz input.
type chooser interface{ below(n int) int }

type randomChooser struct{ *rand.Rand }

func (r randomChooser) below(n int) int { return r.IntN(n) }

// player does the same to a tree and to its model, and compares.
type player struct {
	t        testing.TB
	pick     chooser
	tree     *Tree
	model    *model
	zxid, ms int64
	deep     bool // compare all of both after every transaction
	views    []*view
	log      []string
}

func newPlayer(t testing.TB, pick chooser) *player {
	return &player{t: t, pick: pick, tree: New(), model: newModel(), ms: 1 << 40}
}

var (
	playNames = []string{"a", "b", "c", "zookeeper", "quota", "é", "a-name-that-is-somewhat-longer-than-the-others"}
	playOdd   = []string{"", "/", "//", "//a", "a", "a/b", "/a/", "/a//b", "/a/.", "/a/../b", "/a\x00", "/\xff", "//zookeeper"}
	playACLs  = [][]jute.ACL{open, open, open, private, worldACL(jute.PermRead), worldACL(jute.PermCreate | jute.PermDelete),
		{{Perms: 31, ID: jute.ID{Scheme: "auth"}}}, {{Perms: 1, ID: jute.ID{Scheme: "world", ID: "anyone"}}, {Perms: 16, ID: alice}},
		nil, {{Perms: 31, ID: jute.ID{Scheme: "foo", ID: "x"}}}, slices.Concat(open, open, private)}
	playActors = [][]jute.ID{nil, {loopback}, {alice}, {super}, {alice, {Scheme: "digest", ID: "v:i"}}}
	playSizes  = []int{0, 1, 3, 10, 40, 100, 1000, 1100, 5000, 32768, 33000, 70000}
	playQuota  = []string{"count=1,bytes=1", "count=-1,bytes=-1=;byteHardLimit=60;countHardLimit=3", "rubbish", "", "count=5,bytes=7", "countHardLimit=6"}
)

func oneOf[T any](p *player, all []T) T { return all[p.pick.below(len(all))] }

func (p *player) path() string {
	switch p.pick.below(16) {
	case 0:
		return oneOf(p, playOdd)
	case 1, 2:
		name := limitsName
		if p.pick.below(2) == 0 {
			name = statsName
		}
		return quotaPath + p.plain(2) + "/" + name
	case 3:
		return quotaPath + p.plain(2)
	}
	return p.plain(4)
}

func (p *player) plain(depth int) string {
	var b strings.Builder
	for range 1 + p.pick.below(depth) {
		b.WriteString("/" + oneOf(p, playNames))
	}
	return b.String()
}

func (p *player) data(path string) []byte {
	if strings.HasSuffix(path, limitsName) || strings.HasSuffix(path, statsName) {
		return []byte(oneOf(p, playQuota))
	}
	n := p.pick.below(len(playSizes) + 1)
	if n == len(playSizes) {
		return nil
	}
	return bytes.Repeat([]byte{byte('a' + p.pick.below(26))}, playSizes[n])
}

func (p *player) version() int32 { return []int32{-1, -1, -1, 0, 1, 2, -2}[p.pick.below(7)] }

func (p *player) session() int64 { return int64(0x100000000000000 + p.pick.below(3)) }

// begin starts the next transaction on both.
func (p *player) begin(multi bool) {
	p.zxid++
	p.ms += int64(p.pick.below(3))
	tx := &Txn{Zxid: p.zxid, Time: p.ms, Session: p.session(), Actor: Actor{IDs: oneOf(p, playActors)}}
	tx.EnforceQuota, tx.TTLNodes = p.pick.below(4) > 0, p.pick.below(8) > 0
	p.model.begin(tx)
	p.note(fmt.Sprintf("tx %d: multi %v, %+v", p.zxid, multi, *tx))
	if multi {
		p.tree.BeginMulti(tx)
	} else {
		p.tree.Begin(tx)
	}
}

// note keeps what was done last, to tell it when something goes wrong.
func (p *player) note(what string) {
	p.log = append(p.log[max(0, len(p.log)-12):], what)
}

// same fails the test unless both had the same result.
func (p *player) same(what string, got, want any) {
	p.t.Helper()
	p.note(what)
	if text, ok := got.(string); ok && text == want.(string) {
		return
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Fatalf("%s\n%s: got %v, want %v", strings.Join(p.log, "\n"), what, got, want)
	}
}

// operate does one operation of those that a multi may have.
func (p *player) operate() jute.Code {
	path := p.path()
	switch p.pick.below(8) {
	case 0, 1, 2, 3:
		op := oneOf(p, []jute.Op{jute.OpCreate, jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL})
		mode := jute.CreateMode(p.pick.below(4))
		ttl := int64(0)
		if op == jute.OpCreateTTL {
			mode, ttl = jute.PersistentTTL, int64(p.pick.below(5))
		} else if p.pick.below(20) == 0 {
			mode = jute.CreateMode(p.pick.below(9) - 1)
		}
		c := jute.CreateRequest{Path: path, Data: p.data(path), ACL: oneOf(p, playACLs), Mode: mode, TTL: ttl}
		forModel := c
		c.ACL = slices.Clone(c.ACL)
		gotPath, gotStat, got := p.tree.Create(op, &c)
		wantPath, wantStat, want := p.model.create(op, &forModel)
		p.same(fmt.Sprintf("%d create %q mode %d, %d bytes, %v", op, path, mode, len(c.Data), forModel.ACL),
			[]any{gotPath, gotStat, got}, []any{wantPath, wantStat, want})
		return got
	case 4:
		v := p.version()
		got := p.tree.Delete(path, v)
		p.same(fmt.Sprintf("delete %q %d", path, v), got, p.model.delete(path, v))
		return got
	case 5, 6:
		v, data := p.version(), p.data(path)
		gotStat, got := p.tree.SetData(path, data, v)
		wantStat, want := p.model.set(path, data, v)
		p.same(fmt.Sprintf("set %q %d, %d bytes", path, v, len(data)), []any{gotStat, got}, []any{wantStat, want})
		return got
	default:
		v := p.version()
		got := p.tree.Check(path, v)
		p.same(fmt.Sprintf("check %q %d", path, v), got, p.model.check(path, v))
		return got
	}
}

// transaction does one of all kinds.
func (p *player) transaction() {
	switch p.pick.below(16) {
	case 0:
		p.begin(false)
		session := p.session()
		p.tree.CloseSession(session)
		p.model.closeSession(session)
		p.note(fmt.Sprintf("close %#x", session))
	case 1:
		p.begin(false)
		path, acl, v := p.path(), oneOf(p, playACLs), p.version()
		gotStat, got := p.tree.SetACL(&jute.SetACLRequest{Path: path, ACL: slices.Clone(acl), Version: v})
		wantStat, want := p.model.setACL(path, acl, v)
		p.same(fmt.Sprintf("setACL %q %v %d", path, acl, v), []any{gotStat, got}, []any{wantStat, want})
	case 2:
		p.reap()
	case 3, 4, 5, 6:
		p.multi()
	default:
		p.begin(false)
		p.operate()
	}
	p.compare()
}

func (p *player) reap() {
	p.begin(false)
	now, neverUsed := p.ms+int64(p.pick.below(5)), int64(p.pick.below(3))
	got, want := p.tree.Due(now, neverUsed, 1<<20), p.model.due(now, neverUsed)
	byPath := func(a, b Due) int { return strings.Compare(a.Path, b.Path) }
	slices.SortFunc(got, byPath)
	slices.SortFunc(want, byPath)
	p.same("due", append([]Due{}, got...), want)
	d := Due{Path: p.plain(3), Mzxid: int64(p.pick.below(5))}
	if len(got) > 0 {
		d = oneOf(p, got)
	}
	p.same("reap "+d.Path, p.tree.DeleteContainer(d.Path, d.Mzxid), p.model.deleteContainer(d.Path, d.Mzxid))
}

// multi does several operations; the first that fails takes all back.
func (p *player) multi() {
	p.begin(true)
	before := p.model.clone()
	for range p.pick.below(6) {
		if p.operate() != jute.OK {
			p.tree.Rollback()
			p.model = before
			p.note("rollback")
			return
		}
	}
	p.tree.Commit()
	p.note("commit")
}

func (p *player) compare() {
	p.t.Helper()
	var changes []string
	for _, c := range p.tree.Changes() {
		kind := map[jute.EventType]string{1: "created ", 2: "deleted ", 3: "changed "}[c.Type]
		changes = append(changes, kind+c.Path)
	}
	if !slices.Equal(changes, p.model.changes) {
		p.same("changes", changes, p.model.changes)
	}
	if !p.deep {
		return
	}
	if err := verify(p.tree); err != nil {
		p.t.Fatalf("%s\n%v", strings.Join(p.log, "\n"), err)
	}
	p.same("tree", dump(p.tree), p.model.dump())
}

// view is a snapshot that is being written while the tree changes.
type view struct {
	s    *Snapshot
	want string
	done chan struct{}
	b    bytes.Buffer
	err  error
}

func (p *player) openView() {
	v := &view{s: p.tree.Snapshot(), want: p.model.dump(), done: make(chan struct{})}
	go func() {
		defer close(v.done)
		_, v.err = v.s.WriteTo(&v.b)
	}()
	p.views = append(p.views, v)
}

func (p *player) closeView(i int) {
	v := p.views[i]
	p.views = slices.Delete(p.views, i, i+1)
	<-v.done
	if v.err != nil {
		p.t.Fatal(v.err)
	}
	// What is written once more, after all those changes, is the same still.
	var again bytes.Buffer
	if _, err := v.s.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), v.b.Bytes()) {
		p.t.Fatalf("a second image differs: %v", err)
	}
	if err := v.s.Verify(noPause); err != nil {
		p.t.Fatal(err)
	}
	v.s.Release()
	loaded, err := Load(&v.b)
	if err != nil {
		p.t.Fatalf("snapshot does not load: %v", err)
	}
	if err := verify(loaded); err != nil {
		p.t.Fatalf("loaded: %v", err)
	}
	p.same("snapshot", dump(loaded), v.want)
	if loaded.Digest() != v.s.view.digest {
		p.t.Fatalf("loaded: the digest is %#x, was %#x", loaded.Digest(), v.s.view.digest)
	}
}

func (p *player) finish() {
	for len(p.views) > 0 {
		p.closeView(0)
	}
	p.deep = true
	p.compare()
}

func TestRandomOperationsAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := newPlayer(t, randomChooser{rand.New(rand.NewPCG(seed, 1))})
			steps := 2000
			if testing.Short() {
				steps = 500
			}
			for i := range steps {
				p.deep = i < 200 || i%97 == 0
				p.transaction()
				switch p.pick.below(60) {
				case 0:
					p.openView()
				case 1, 2:
					if len(p.views) > 0 {
						p.closeView(p.pick.below(len(p.views)))
					}
				case 3:
					if p.pick.below(4) == 0 { // go on with what was read back
						loaded, err := Load(bytes.NewReader(image(t, p.tree)))
						if err != nil {
							t.Fatal(err)
						}
						for len(p.views) > 0 {
							p.closeView(0)
						}
						p.tree = loaded
						p.tree.Begin(&Txn{})
						p.model.changes = nil
					}
				}
			}
			p.finish()
		})
	}
}
