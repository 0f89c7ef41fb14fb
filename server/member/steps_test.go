package member

import (
	"slices"
	"strings"
	"testing"
)

// lines makes a list of letters: a is the line of server 1, and so on; a capital
// one is an observer.
func lines(t *testing.T, letters string) List {
	var all []string
	for _, c := range letters {
		role, name := "participant", strings.ToLower(string(c))
		if string(c) != name {
			role = "observer"
		}
		all = append(all, "server."+string('1'+name[0]-'a')+"="+name+":1:2:"+role)
	}
	return mustParse(t, strings.Join(all, "\n"))
}

func TestAgreed(t *testing.T) {
	for name, tt := range map[string]struct {
		list  string
		files map[int64]string
		want  string
	}{
		"nobody says":               {list: "abc", files: map[int64]string{}},
		"all":                       {list: "abc", files: map[int64]string{1: "abc", 2: "abc", 3: "abc"}, want: "abc"},
		"most":                      {list: "abc", files: map[int64]string{1: "abcde", 2: "abcde", 3: "abc"}, want: "abcde"},
		"too few":                   {list: "abc", files: map[int64]string{1: "abcde"}},
		"half":                      {list: "abcd", files: map[int64]string{1: "abc", 2: "abc", 3: "abcd", 4: "abcd"}},
		"as many others":            {list: "abc", files: map[int64]string{1: "abcd", 2: "abce", 3: "abc"}},
		"newcomers do not count":    {list: "abc", files: map[int64]string{1: "abcde", 4: "abcde", 5: "abcde"}},
		"observers do not count":    {list: "abcD", files: map[int64]string{1: "abc", 4: "abc"}},
		"most of those that say so": {list: "abc", files: map[int64]string{1: "ab", 2: "ab"}, want: "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[int64]List{}
			for id, letters := range tt.files {
				files[id] = lines(t, letters)
			}
			got := lines(t, tt.list).Agreed(files)
			if (got == nil) != (tt.want == "") || got.String() != lines(t, tt.want).String() {
				t.Errorf("got\n%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestWhoseFilesDiffer(t *testing.T) {
	l := lines(t, "abcD")
	files := map[int64]List{1: lines(t, "abcD"), 2: lines(t, "abc"), 4: lines(t, "ab"), 5: lines(t, "ab")}
	if got := l.Others(files); !slices.Equal(got, []int64{2}) {
		t.Errorf("those of %d", got)
	}
}

// Files in which each server has a wildcard for itself are the same list.
func TestAgreedOnWildcards(t *testing.T) {
	l := lines(t, "abc")
	target := lines(t, "abcd")
	own := func(id int64) List {
		s := *target.Find(id)
		s.Addrs = append(s.Addrs[:0:0], s.Addrs...)
		s.Addrs[0].Host = "0.0.0.0"
		return target.With(s)
	}
	got := l.Agreed(map[int64]List{1: own(1), 2: own(2), 3: own(3), 4: own(4)})
	if got.String() != target.String() {
		t.Errorf("got\n%s", got)
	}
	if next, why := l.Step(l.With(*own(4).Find(4)), map[int64]Seen{4: {Asks: true}}, 1, 2); next.String() != l.String() || !strings.Contains(why, "address of server 4") {
		t.Errorf("a wildcard would be agreed on: %s, %q", next, why)
	}
}

func TestStep(t *testing.T) {
	here, asks, away := Seen{Votes: true, Contact: true, CaughtUp: true}, Seen{Asks: true}, Seen{Votes: true}
	behind := Seen{Votes: true, Contact: true}
	learns := Seen{Contact: true}
	type all = map[int64]Seen
	for name, tt := range map[string]struct {
		from, target string
		seen         all
		least        int // 2, if 0
		want, why    string
	}{
		"there":                        {from: "abc", target: "abc", want: "abc"},
		"one comes":                    {from: "abc", target: "abcde", seen: all{1: here, 2: here, 3: here, 4: asks, 5: asks}, want: "abcd"},
		"then the next":                {from: "abcd", target: "abcde", seen: all{1: here, 2: here, 3: here, 4: learns, 5: asks}, want: "abcde"},
		"who is there comes first":     {from: "abc", target: "abcde", seen: all{1: here, 2: here, 3: here, 5: asks}, want: "abce"},
		"nobody is there":              {from: "abc", target: "abcd", seen: all{1: here, 2: here, 3: here}, want: "abc", why: "server 4 does not ask"},
		"one goes":                     {from: "abcde", target: "abc", seen: all{1: here, 2: here, 3: here, 4: here, 5: here}, want: "abce"},
		"the leader last":              {from: "abcde", target: "bcd", seen: all{1: here, 2: here, 3: here, 4: here, 5: here}, want: "abcd"},
		"one for another":              {from: "abc", target: "abd", seen: all{1: here, 2: here, 3: here, 4: asks}, want: "abcd"},
		"not before the other votes":   {from: "abcd", target: "abd", seen: all{1: here, 2: here, 3: here, 4: learns}, want: "abcd", why: "server 4 does not vote yet"},
		"but then":                     {from: "abcd", target: "abd", seen: all{1: here, 2: here, 3: here, 4: here}, want: "abd"},
		"too few are in contact":       {from: "abcd", target: "abc", seen: all{1: here, 2: away, 3: away, 4: here}, want: "abcd", why: "without server 4 too few"},
		"too few have caught up":       {from: "abcd", target: "abc", seen: all{1: here, 2: behind, 3: away, 4: here}, want: "abcd", why: "without server 4 too few"},
		"one that is away goes":        {from: "abcd", target: "abc", seen: all{1: here, 2: here, 3: here, 4: away}, want: "abc"},
		"a vote":                       {from: "abC", target: "abc", seen: all{1: here, 2: here, 3: learns}, want: "abc"},
		"no vote for one that is away": {from: "abC", target: "abc", seen: all{1: here, 2: here}, want: "abC", why: "server 3 is not in contact"},
		"no vote any more":             {from: "abc", target: "abC", seen: all{1: here, 2: here, 3: here}, want: "abC"},
		"two that go, and an observer": {from: "abcD", target: "ab", seen: all{1: here, 2: here, 3: here, 4: learns}, want: "abD"},
		"to one voter":                 {from: "ab", target: "a", seen: all{1: here, 2: here}, want: "ab", why: "standaloneEnabled=false"},
		"to one voter, where it may":   {from: "ab", target: "a", seen: all{1: here, 2: here}, least: 1, want: "a"},
		"to nobody":                    {from: "ab", target: "AB", seen: all{1: here, 2: here}, least: 1, want: "ab", why: "no voter would be left"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.least == 0 {
				tt.least = 2
			}
			got, why := lines(t, tt.from).Step(lines(t, tt.target), tt.seen, 1, tt.least)
			if got.String() != lines(t, tt.want).String() || (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
				t.Errorf("got\n%s\n%q", got, why)
			}
		})
	}
}

// The line of a member changes by a step of its own.
func TestStepToAnotherLine(t *testing.T) {
	l := lines(t, "abc")
	moved := mustParse(t, "server.3=z:1:2:participant;2181")[0]
	here := Seen{Votes: true, Contact: true, CaughtUp: true}
	got, why := l.Step(l.With(moved), map[int64]Seen{1: here, 2: here, 3: {Votes: true}}, 1, 2)
	if got.String() != l.With(moved).String() || why != "" {
		t.Errorf("got\n%s\n%q", got, why)
	}
}
