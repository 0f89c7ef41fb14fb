package member

import (
	"strings"
	"testing"

	"zkd/proto/jute"
)

// three is the list that requests for a change begin with.
const three = "server.1=a:2888:3888:participant;a:2181\n" +
	"server.2=b:2888:3888:participant;0.0.0.0:2181\n" +
	"server.3=c:2888:3888:participant"

func mustParse(t testing.TB, text string) List {
	t.Helper()
	l, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListText(t *testing.T) {
	l := mustParse(t, three)
	if l.String() != three {
		t.Errorf("got %q", l.String())
	}
	if got, want := l.Text(0x1f), three+"\nversion=1f"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"x", "server.1=a", "server.x=a:1:2"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestListChange has what a real ZooKeeper 3.9 of three servers
// answered, apart from the rows that say otherwise.
func TestListChange(t *testing.T) {
	const four = "server.4=d:1:2:observer;0.0.0.0:3"
	null := func(joining, leaving string) jute.ReconfigRequest {
		return jute.ReconfigRequest{Joining: joining, Leaving: leaving, NullMembers: true}
	}
	whole := func(members string) jute.ReconfigRequest { return jute.ReconfigRequest{NewMembers: members} }
	for _, tt := range []struct {
		name  string
		from  string // three, if ""
		r     jute.ReconfigRequest
		least int // 2, if 0
		want  string
		code  jute.Code
	}{
		{name: "too long", r: null("server.9="+strings.Repeat("z:1:2|", 50_000)+"z:1:2;3", ""), code: jute.ErrBadArguments},
		{name: "nothing", r: null("", ""), want: three},
		{name: "blanks", r: null(" ", " "), want: three},
		{name: "unknown ids leave", r: null("", " 9 , ,300,-3"), want: three},
		{name: "one leaves", r: null("", "1"), want: three[len("server.1=a:2888:3888:participant;a:2181\n"):]},
		{name: "no number leaves", r: null("", "x"), code: jute.ErrMarshalling},
		{name: "a name leaves", r: null("", "server.3"), code: jute.ErrMarshalling},
		{name: "no number leaves, nonsense joins", r: null("foo", "x"), code: jute.ErrMarshalling},
		{name: "too many leave", r: null("", "2,3"), code: jute.ErrBadArguments},
		{name: "all but one leave, one is enough", r: null("", "2,3"), least: 1, want: "server.1=a:2888:3888:participant;a:2181"},
		{name: "all leave, one is needed", r: null("", "1,2,3"), least: 1, code: jute.ErrBadArguments},
		{name: "one joins", r: null("server.4=d:1:2:observer;3", ""), want: three + "\n" + four},
		{name: "one joins by its number", r: null("4=d:1:2:observer;3", ""), want: three + "\n" + four},
		{name: "one joins by another name", r: null("x.4 = d:1:2:OBSERVER;3,", ""), want: three + "\n" + four},
		{name: "two join", r: null(" server.5=e:1:2;4 , server.4=d:1:2:observer;3", ""), want: three + "\n" + four + "\nserver.5=e:1:2:participant;0.0.0.0:4"},
		{name: "one joins twice", r: null("server.4=x:1:2;3,server.4=d:1:2:observer;3", ""), want: three + "\n" + four},
		{name: "another role", r: null("server.3=c:2888:3888:observer;5", ""), want: "server.1=a:2888:3888:participant;a:2181\n" +
			"server.2=b:2888:3888:participant;0.0.0.0:2181\nserver.3=c:2888:3888:observer;0.0.0.0:5"},
		{name: "another role leaves too few voters", from: "server.1=a:1:2:participant\nserver.2=b:1:2:participant",
			r: null("server.2=b:1:2:observer;5", ""), code: jute.ErrBadArguments},
		{name: "leaves and joins", r: null("server.3=d:1:2;3", "3"), want: "server.1=a:2888:3888:participant;a:2181\n" +
			"server.2=b:2888:3888:participant;0.0.0.0:2181\nserver.3=d:1:2:participant;0.0.0.0:3"},
		{name: "takes the address of who leaves", r: null("server.4=c:2888:3888;3", "3"), want: "server.1=a:2888:3888:participant;a:2181\n" +
			"server.2=b:2888:3888:participant;0.0.0.0:2181\nserver.4=c:2888:3888:participant;0.0.0.0:3"},
		{name: "joins without a client port", r: null("server.4=d:1:2", ""), code: jute.ErrBadArguments},
		{name: "joins without a value", r: null("server.4", ""), code: jute.ErrBadArguments},
		{name: "joins with two =", r: null("server.4=d:1:2;3=4", ""), code: jute.ErrBadArguments},
		{name: "joins without a number", r: null("server.x=d:1:2;3", ""), code: jute.ErrMarshalling},
		{name: "joins with nonsense", r: null("server.4=foo", ""), code: jute.ErrBadArguments},
		{name: "joins with another role", r: null("server.4=d:1:2:voter;3", ""), code: jute.ErrBadArguments},
		{name: "joins with one port twice", r: null("server.4=d:1:1;3", ""), code: jute.ErrBadArguments},
		{name: "id out of range (ZooKeeper takes it)", r: null("server.300=d:1:2;3", ""), code: jute.ErrBadArguments},
		{name: "quorum port taken", r: null("server.4=A:2888:1;3", ""), code: jute.ErrBadArguments},
		{name: "client port taken as election port", r: null("server.4=a:1:2181;3", ""), code: jute.ErrBadArguments},
		{name: "client port taken", r: null("server.4=d:1:2;a:2181", ""), code: jute.ErrBadArguments},
		{name: "loopback client port taken", from: "server.1=a:1:2:participant;127.0.0.1:3\nserver.2=b:1:2:participant",
			r: null("server.4=d:1:2;127.0.0.1:3", ""), want: "server.1=a:1:2:participant;127.0.0.1:3\nserver.2=b:1:2:participant\nserver.4=d:1:2:participant;127.0.0.1:3"},
		{name: "loopback quorum port taken (ZooKeeper takes it)", from: "server.1=127.0.0.1:1:2:participant\nserver.2=127.0.0.1:3:4:participant",
			r: null("server.4=127.0.0.1:1:5;6", ""), code: jute.ErrBadArguments},

		{name: "whole list", r: whole("server.2=b:1:2;3,server.1=a:1:2"), want: "server.1=a:1:2:participant\nserver.2=b:1:2:participant;0.0.0.0:3"},
		{name: "whole list in lines, with its version", r: whole(three + "\nversion=100000000\n"), want: three},
		{name: "whole list, the same id twice", r: whole("server.1=x:5:6,server.2=b:1:2,server.1=a:1:2"), want: "server.1=a:1:2:participant\nserver.2=b:1:2:participant"},
		{name: "a whole list counts, whatever joins and leaves", r: jute.ReconfigRequest{Joining: "foo", Leaving: "x", NewMembers: three}, want: three},
		{name: "empty list", r: whole(""), code: jute.ErrBadArguments},
		{name: "nonsense", r: whole("foo"), code: jute.ErrBadArguments},
		{name: "another key", r: whole(three + "\ntickTime=1"), code: jute.ErrBadArguments},
		{name: "bad line", r: whole("server.1=x"), code: jute.ErrBadArguments},
		{name: "one voter", r: whole("server.1=a:1:2"), code: jute.ErrBadArguments},
		{name: "one voter, one is enough", r: whole("server.1=a:1:2"), least: 1, want: "server.1=a:1:2:participant"},
		{name: "only observers", r: whole("server.1=a:1:2:observer"), code: jute.ErrMarshalling},
		{name: "one voter and an observer", r: whole("server.1=a:1:2,server.2=b:1:2:observer"), code: jute.ErrMarshalling},
		{name: "groups (ZooKeeper takes them)", r: whole(three + "\ngroup.1=1:2:3"), code: jute.ErrBadArguments},
		{name: "two on one address", r: whole("server.1=a:1:2,server.2=a:3:1"), code: jute.ErrBadArguments},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, least := tt.from, tt.least
			if from == "" {
				from = three
			}
			if least == 0 {
				least = 2
			}
			before := mustParse(t, from)
			got, code := before.Change(&tt.r, least)
			if code != tt.code {
				t.Fatalf("%s, want %s", code, tt.code)
			}
			if code == jute.OK && got.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if before.String() != from {
				t.Errorf("the list itself has become\n%s", before)
			}
		})
	}
}
