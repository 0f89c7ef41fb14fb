package znode

import (
	"testing"

	"zkd/proto/jute"
)

func TestMulti(t *testing.T) {
	create := func(path string, mode jute.CreateMode) func(x *tester) jute.Code {
		return func(x *tester) jute.Code {
			_, _, code := x.Create(jute.OpCreate, request(path, "data", mode, private))
			return code
		}
	}
	del := func(path string) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { return x.Delete(path, -1) }
	}
	check := func(path string, v int32) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { return x.Check(path, v) }
	}
	set := func(path string, v int32) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { _, code := x.SetData(path, []byte("new"), v); return code }
	}
	for _, tt := range []struct {
		name string
		ops  []func(x *tester) jute.Code
		want jute.Code // of the last operation
	}{
		{"nothing", nil, jute.OK},
		{"create, create below, delete both", []func(x *tester) jute.Code{create("/p", 0), create("/p/c", 0), del("/p/c"), del("/p")}, jute.OK},
		{"delete with a child made before", []func(x *tester) jute.Code{create("/p", 0), create("/p/c", 0), del("/p")}, jute.ErrNotEmpty},
		{"set twice, then the second version", []func(x *tester) jute.Code{set("/t", 0), set("/t", 1), check("/t", 2)}, jute.OK},
		{"check fails after a set", []func(x *tester) jute.Code{set("/t", -1), check("/t", 0)}, jute.ErrBadVersion},
		{"create below an ephemeral made before", []func(x *tester) jute.Code{create("/e", jute.Ephemeral), create("/e/x", 0)}, jute.ErrNoChildrenForEph},
		{"delete and create again, then fail", []func(x *tester) jute.Code{del("/t/a"), create("/t/a", jute.Ephemeral), set("/t/a", 0), del("/")}, jute.ErrBadArguments},
		{"delete what had been there", []func(x *tester) jute.Code{del("/t/a"), del("/t"), create("/t", 0)}, jute.OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newTester(t).as(alice).make("/t", "/t/a")
			before := x.fingerprint()
			x.BeginMulti(x.next())
			code := jute.OK
			for i, op := range tt.ops {
				if code = op(x); code != jute.OK && i < len(tt.ops)-1 {
					t.Fatalf("operation %d: %v", i, code)
				}
			}
			x.want("last", code, tt.want)
			if code == jute.OK {
				x.Commit()
				if len(tt.ops) > 0 && len(x.Changes()) == 0 {
					t.Error("no changes")
				}
				return
			}
			x.Rollback()
			if x.fingerprint() != before || len(x.Changes()) > 0 {
				t.Error("the rollback left a trace")
			}
		})
	}
}

func TestMultiSequences(t *testing.T) {
	x := newTester(t).make("/t")
	seq := func(want string) {
		t.Helper()
		if got, _, _ := x.Create(jute.OpCreate, request("/t/n", "", jute.PersistentSequential, open)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	x.BeginMulti(x.next())
	seq("/t/n0000000000")
	seq("/t/n0000000001")
	x.Commit()
	x.BeginMulti(x.next())
	seq("/t/n0000000002")
	x.Rollback()
	x.Begin(x.next())
	seq("/t/n0000000002")
}
