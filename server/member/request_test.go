package member

import (
	"slices"
	"strings"
	"testing"
)

const four = "server.4=d:2888:3888:observer;2181"

func TestRequest(t *testing.T) {
	l := mustParse(t, three).With(mustParse(t, four)[0])
	voter := strings.Replace(four, ":observer;2181", ":participant;0.0.0.0:2181", 1)
	for name, tt := range map[string]struct {
		r      Request
		least  int // 2, if 0
		want   string
		refuse string
	}{
		"nothing":                     {want: l.String()},
		"a member again":              {r: Request{Add: []string{four}}, want: l.String()},
		"a server":                    {r: Request{Add: []string{"server.9=z:1:2"}}, want: l.String() + "\nserver.9=z:1:2:participant"},
		"a vote":                      {r: Request{Promote: []int64{4}}, want: three + "\n" + voter},
		"a vote again":                {r: Request{Promote: []int64{3}}, want: l.String()},
		"a vote for nobody":           {r: Request{Promote: []int64{9}}, refuse: "server 9 is no member"},
		"out":                         {r: Request{Remove: []int64{4}}, want: three},
		"out again":                   {r: Request{Remove: []int64{9}}, want: l.String()},
		"too many out":                {r: Request{Remove: []int64{1, 2}}, refuse: "a single voter would be left"},
		"all but one out":             {r: Request{Remove: []int64{1, 2, 4}}, least: 1, want: "server.3=c:2888:3888:participant"},
		"all voters out":              {r: Request{Remove: []int64{1, 2, 3}}, least: 1, refuse: "no voter would be left"},
		"an address twice":            {r: Request{Add: []string{"server.9=a:2888:1"}}, refuse: "the same address"},
		"a wildcard":                  {r: Request{Add: []string{"server.9=0.0.0.0:1:2"}}, refuse: "a wildcard is no address"},
		"too many servers":            {r: Request{Remove: make([]int64, 300)}, refuse: "300 servers at once"},
		"a list that is too long":     {r: Request{Add: []string{"server.9=" + strings.Repeat("z:1:2|", 50_000) + "z:1:2"}}, refuse: "more than 262144 bytes"},
		"what is no line":             {r: Request{Add: []string{"server.9=z"}}, refuse: "does not have the form"},
		"a line that replaces itself": {r: Request{Add: []string{"server.1=y:1:2"}, Remove: []int64{1}}, want: strings.Join(l.Without(1).Lines(), "\n")},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.least == 0 {
				tt.least = 2
			}
			got, err := tt.r.Apply(l, tt.least)
			switch {
			case tt.refuse != "" && (err == nil || !strings.Contains(err.Error(), tt.refuse)):
				t.Errorf("%v, not %q", err, tt.refuse)
			case tt.refuse == "" && (err != nil || got.String() != tt.want):
				t.Errorf("%v, got\n%s\nwant\n%s", err, got, tt.want)
			}
		})
	}
}

func TestRequestWaiting(t *testing.T) {
	voter := State{ID: 3, Voter: true, Contact: true}
	with := func(change func(*State)) State { s := voter; change(&s); return s }
	for name, tt := range map[string]struct {
		states []State
		gone   bool // from the list
		want   string
	}{
		"in step":        {states: []State{voter}},
		"not there":      {want: "not there yet"},
		"not in contact": {states: []State{with(func(s *State) { s.Contact = false })}, want: "not in contact"},
		"no vote":        {states: []State{with(func(s *State) { s.Voter = false })}, want: "not a voter yet"},
		"behind":         {states: []State{with(func(s *State) { s.Lag = 2000 })}, want: "2000 entries behind"},
		"to go":          {states: []State{voter}, gone: true, want: "has not left yet"},
		"gone":           {gone: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := Answer{Servers: strings.Split(three, "\n"), States: tt.states}
			if tt.gone {
				a.Servers = slices.Delete(a.Servers, 2, 3)
			}
			for _, r := range []Request{{Add: []string{"server.3=c:2888:3888"}}, {Promote: []int64{3}}, {Remove: []int64{3}}} {
				if got := r.Waiting(&a); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
					t.Errorf("%+v: waits for %q, not %q", r, got, tt.want)
				}
			}
		})
	}
}
