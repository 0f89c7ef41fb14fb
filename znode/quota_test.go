package znode

import (
	"testing"

	"zkd/proto/jute"
)

// quota sets one on path, with stats.
func (x *tester) quota(path, limits string) *tester {
	x.t.Helper()
	at := quotaPath
	for rest := path[1:]; ; {
		name, more := rest, ""
		for i := range rest {
			if rest[i] == '/' {
				name, more = rest[:i], rest[i+1:]
				break
			}
		}
		if at += "/" + name; !x.exists(at) {
			x.make(at)
		}
		if rest = more; rest == "" {
			break
		}
	}
	x.makeWith(at+"/"+limitsName, limits, 0, open)
	x.make(at + "/" + statsName)
	return x
}

func (x *tester) stats(path, want string) {
	x.t.Helper()
	if got := string(x.data(quotaPath + path + "/" + statsName)); got != want {
		x.t.Errorf("usage of %s is %q, want %q", path, got, want)
	}
}

func TestQuotaCounts(t *testing.T) {
	x := newTester(t).make("/q", "/q/a").quota("/q", "count=1,bytes=1")
	x.set("/q", "12345", -1)
	x.stats("/q", "count=2,bytes=5")
	x.makeWith("/q/b", "xx", 0, open) // beyond the soft limits
	x.stats("/q", "count=3,bytes=7")
	x.set("/q/b", "", -1)
	x.del("/q/a", -1)
	x.stats("/q", "count=2,bytes=5")
	if s := x.stat(quotaPath + "/q/" + statsName); s.Version != 0 || s.Mzxid != s.Czxid || s.DataLength != 15 {
		t.Errorf("stats znode %+v", s)
	}
	x.quota("/q/in", "count=9").make("/q/in", "/q/in/x")
	x.stats("/q/in", "count=2,bytes=0")
	x.stats("/q", "count=2,bytes=5")
	x.del(quotaPath+"/q/"+limitsName, -1) // usage freezes
	x.make("/q/c")
	x.stats("/q", "count=2,bytes=5")
}

func TestHardQuotas(t *testing.T) {
	x := newTester(t).make("/q", "/q/a").quota("/q", "count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=3")
	x.tx.EnforceQuota = true
	x.set("/q", "1234567890", -1)
	_, code := x.set("/q/a", "12345678901", -1)
	x.want("21 bytes", code, jute.ErrQuotaExceeded)
	_, code = x.set("/q/a", "12345678901", 77)
	x.want("21 bytes and a wrong version", code, jute.ErrQuotaExceeded)
	_, code = x.set("/q/a", "1234567890", -1)
	x.want("20 bytes", code, jute.OK)
	_, code = x.set("/q/a", "123456789", -1)
	x.want("fewer", code, jute.OK)
	x.make("/q/b")
	_, _, code = x.create("/q/c", "", 0, open)
	x.want("a fourth", code, jute.ErrQuotaExceeded)
	_, _, code = x.create("/q/b", "", 0, open)
	x.want("one that exists", code, jute.ErrNodeExists)
	x.stats("/q", "count=3,bytes=19")
	// creates earlier in the same multi count
	x.del("/q/b", -1)
	x.BeginMulti(x.next())
	_, _, code = x.Create(jute.OpCreate, request("/q/b", "", 0, open))
	x.want("multi, third", code, jute.OK)
	_, _, code = x.Create(jute.OpCreate, request("/q/c", "", 0, open))
	x.want("multi, fourth", code, jute.ErrQuotaExceeded)
	x.Rollback()
	x.stats("/q", "count=2,bytes=19")
	x.tx.EnforceQuota = false
	x.make("/q/b", "/q/c", "/q/d")
}

func TestQuotaThatCannotBeRead(t *testing.T) {
	x := newTester(t).make("/q").quota("/q", "rubbish")
	x.tx.EnforceQuota = true
	_, _, code := x.create("/q/x", "", 0, open)
	x.want("limits", code, jute.ErrMarshalling)
	x.tx.EnforceQuota = false
	x.Begin(x.next())
	x.SetData(quotaPath+"/q/"+statsName, []byte("rubbish"), -1)
	x.make("/q/x")
	x.stats("/q", "count=2,bytes=0")
}

func TestQuotaSurvivesARollback(t *testing.T) {
	x := newTester(t).make("/q").quota("/q", "countHardLimit=1")
	before := x.fingerprint()
	x.BeginMulti(x.next())
	x.Delete(quotaPath+"/q/"+limitsName, -1)
	x.Create(jute.OpCreate, request("/q/x", "", 0, open))
	x.Rollback()
	if x.fingerprint() != before {
		t.Error("the rollback left a trace")
	}
	x.tx.EnforceQuota = true
	_, _, code := x.create("/q/x", "", 0, open)
	x.want("create", code, jute.ErrQuotaExceeded)
}

func TestOnlyWhatIsBelowQuotaIsAQuota(t *testing.T) {
	x := newTester(t).make(quotaPath + "X")
	path := quotaPath + "X/" + statsName
	x.makeWith(path, "mine", 0, open)
	x.makeWith(quotaPath+"X/"+limitsName, "mine", 0, open)
	if got := string(x.data(path)); got != "mine" {
		t.Errorf("a client's data became %q", got)
	}
}

func TestParseTrack(t *testing.T) {
	for in, want := range map[string]track{
		"":                {-1, -1, -1, -1},
		"count=3,bytes=4": {3, 4, -1, -1},
		"count=3,bytes=4=;byteHardLimit=5;countHardLimit=6": {3, 4, 6, 5},
		"count==3,bytes=-1": {-1, -1, -1, -1},
		";":                 {-1, -1, -1, -1},
		"bytes=1,;":         {-1, 1, -1, -1},
		"other=1;count=2":   {2, -1, -1, -1},
	} {
		if got, ok := parseTrack([]byte(in)); !ok || got != want {
			t.Errorf("%q: %+v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"x", "count", "count=x", "count=1,bytes", "count=,bytes=-1", "=", ";count=1", "count=99999999999999999999"} {
		if got, ok := parseTrack([]byte(in)); ok {
			t.Errorf("%q: %+v", in, got)
		}
	}
	for _, s := range []track{{1, 2, -1, -1}, {1, 2, 3, -1}, {1, 2, -1, 4}, {-1, -1, 3, 4}} {
		if got, ok := parseTrack(s.append(nil)); !ok || got != s {
			t.Errorf("%+v became %+v", s, got)
		}
	}
}
