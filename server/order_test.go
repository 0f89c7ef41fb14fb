package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"zkd/conf"
	"zkd/test/wire"
)

// step is a request with the check of its reply.
type step struct {
	op    wire.Op
	body  wire.Body
	check func(*wire.Reply) error
}

// model is what one client knows of the znodes below its own root: nobody else
// changes them, so every reply of a pipeline can be foretold.
type model struct {
	root     string
	data     map[string][]byte
	version  map[string]int32
	sequence int
	rnd      *rand.Rand
}

func newModel(root string, seed uint64) *model {
	return &model{root: root, data: map[string][]byte{}, version: map[string]int32{}, rnd: rand.New(rand.NewPCG(seed, 1))}
}

// expect checks code and, where there was no error, what the reply holds.
func expect(want wire.Code, rest func(*wire.Reply) error) func(*wire.Reply) error {
	return func(r *wire.Reply) error {
		if r.Err != want {
			return fmt.Errorf("%v instead of %v", r.Err, want)
		}
		if want != 0 || rest == nil {
			return nil
		}
		return rest(r)
	}
}

// next draws a request and moves the model on.
func (m *model) next() step {
	path := fmt.Sprintf("%s/%d", m.root, m.rnd.IntN(4))
	data, exists := m.data[path]
	version := m.version[path]
	missing := wire.Code(0)
	if !exists {
		missing = -101
	}
	switch m.rnd.IntN(9) {
	case 0, 1:
		if exists {
			return step{wire.OpCreate, wire.Create{Path: path, ACL: wire.OpenACL}, expect(-110, nil)}
		}
		m.data[path], m.version[path] = []byte("new"), 0
		return step{wire.OpCreate, wire.Create{Path: path, Data: []byte("new"), ACL: wire.OpenACL}, expect(0, nil)}
	case 2:
		if m.rnd.IntN(2) == 0 && exists {
			return step{wire.OpSetData, wire.SetData{Path: path, Version: version + 1}, expect(-103, nil)}
		}
		value := fmt.Append(nil, m.rnd.Uint64())
		if exists {
			m.data[path] = value
			m.version[path]++
		}
		return step{wire.OpSetData, wire.SetData{Path: path, Data: value, Version: version}, expect(missing, func(r *wire.Reply) error {
			if r.Stat.Version != version+1 {
				return fmt.Errorf("version %d instead of %d", r.Stat.Version, version+1)
			}
			return nil
		})}
	case 3:
		delete(m.data, path)
		delete(m.version, path)
		return step{wire.OpDelete, wire.PathVersion{Path: path, Version: -1}, expect(missing, nil)}
	case 4, 5:
		return step{wire.OpGetData, wire.PathWatch{Path: path}, expect(missing, func(r *wire.Reply) error {
			if !bytes.Equal(r.Data, data) || r.Stat.Version != version {
				return fmt.Errorf("%q in version %d instead of %q in %d", r.Data, r.Stat.Version, data, version)
			}
			return nil
		})}
	case 6:
		want := fmt.Sprintf("%s/s%010d", m.root+"s", m.sequence)
		m.sequence++
		return step{wire.OpCreate, wire.Create{Path: m.root + "s/s", ACL: wire.OpenACL, Flags: 2}, expect(0, func(r *wire.Reply) error {
			if *r.Path != want {
				return fmt.Errorf("%s instead of %s", *r.Path, want)
			}
			return nil
		})}
	case 7:
		n := len(m.data)
		return step{wire.OpGetChildren, wire.PathWatch{Path: m.root}, expect(0, func(r *wire.Reply) error {
			if len(r.Names) != n {
				return fmt.Errorf("%d children instead of %d", len(r.Names), n)
			}
			return nil
		})}
	}
	return step{[]wire.Op{wire.OpPing, wire.OpSync}[m.rnd.IntN(2)], wire.Path(path), expect(0, nil)}
}

// pipeline sends steps in a few large writes and checks the replies in order.
// It returns after its last reply, with the first mistake.
func (c *client) pipeline(steps []step) error {
	sent := make(chan error, 1)
	first := c.xid + 1
	for i, st := range steps {
		c.Expect(first+int32(i), st.op)
	}
	c.xid += int32(len(steps))
	go func() {
		var b []byte
		for i, st := range steps {
			b = append(b, wire.Frame(wire.Payload(first+int32(i), st.op, st.body))...)
			if len(b) > 8<<10 || i == len(steps)-1 {
				if err := c.Write(b); err != nil {
					sent <- err
					return
				}
				b = b[:0]
			}
		}
		sent <- nil
	}()
	for i, st := range steps {
		want := first + int32(i)
		if st.op == wire.OpPing {
			want = -2
		}
		_, r, err := c.Next(patience)
		for err == nil && r == nil { // an event
			_, r, err = c.Next(patience)
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if r.Xid != want {
			return fmt.Errorf("step %d: answered under %d instead of %d", i, r.Xid, want)
		}
		if err := st.check(r); err != nil {
			return fmt.Errorf("step %d, op %d %+v: %w", i, st.op, st.body, err)
		}
	}
	return <-sent
}

// run lets clients go through random pipelines at the same time.
func runModels(t *testing.T, s *Server, clients, rounds, length int) {
	t.Helper()
	var all sync.WaitGroup
	for i := range clients {
		c := connect(t, s)
		root := fmt.Sprintf("/m%d", i)
		c.create(root, nil, 0)
		c.create(root+"s", nil, 0)
		m := newModel(root, uint64(i))
		all.Go(func() {
			for range rounds {
				steps := make([]step, length)
				for j := range steps {
					steps[j] = m.next()
				}
				if err := c.pipeline(steps); err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := s.outstanding.Load(); n != 0 {
		t.Errorf("%d requests outstanding at the end", n)
	}
}

func TestPipelinesKeepOrder(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*conf.Config)
	}{
		{"default", nil},
		{"globalOutstandingLimit 3", func(c *conf.Config) { c.GlobalOutstandingLimit = 3 }},
		{"requestThrottleMaxRequests 1", func(c *conf.Config) { c.RequestThrottleMaxRequests = 1 }},
		{"snapshots all the time", func(c *conf.Config) { c.SnapCount = 20 }},
	} {
		t.Run(row.name, func(t *testing.T) { runModels(t, startServer(t, row.set), 6, 4, 400) })
	}
}

// Auth is answered in its place among earlier writes, and only what comes
// behind it has the new identity.
func TestAuthBehindWrites(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	acl := []wire.ACL{{Perms: 31, Scheme: "auth"}}
	var steps []step
	for i := range 200 {
		user := fmt.Sprintf("u%d", i)
		steps = append(steps,
			step{wire.OpCreate, wire.Create{Path: fmt.Sprintf("/a%d", i), ACL: wire.OpenACL}, expect(0, nil)},
			step{wire.OpAuth, wire.Auth{Scheme: "digest", Data: []byte(user + ":p")}, expect(0, nil)},
			step{wire.OpWhoAmI, nil, expect(0, func(r *wire.Reply) error {
				if n := len(r.Clients); n != i+2 || r.Clients[n-1].User != user {
					return fmt.Errorf("identities %v", r.Clients)
				}
				return nil
			})},
			step{wire.OpCreate, wire.Create{Path: fmt.Sprintf("/a%d/own", i), ACL: acl}, expect(0, nil)},
			step{wire.OpGetACL, wire.Path(fmt.Sprintf("/a%d/own", i)), expect(0, func(r *wire.Reply) error {
				if len(r.ACL) != i+1 {
					return fmt.Errorf("%d entries instead of %d", len(r.ACL), i+1)
				}
				return nil
			})})
	}
	if err := c.pipeline(steps); err != nil {
		t.Fatal(err)
	}
	other := connect(t, s)
	if r := other.call(wire.OpSetData, wire.SetData{Path: "/a0/own", Version: -1}); r.Err != -102 {
		t.Errorf("a stranger's setData: %v", r.Err)
	}
}
