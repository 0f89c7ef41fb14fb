package consensus

import "time"

// absentTime is how long a reconfiguration waits for a majority to be in
// contact, and, when it could be made without them, for newcomers that are
// catching up. The client that asked gets nothing meanwhile, not even an answer
// to its pings, and most give up after 20 s.
const absentTime = 5 * time.Second

// patience is a leader's with a reconfiguration.
type patience struct {
	began time.Time
	hoped time.Time // when there was last reason to wait for longer than absentTime
}

func (p *patience) begin() {
	p.began = time.Now()
	p.hoped = p.began
}

// waited tells whether newcomers have had their time to be in it from the start.
func (p *patience) waited() bool { return time.Since(p.began) > absentTime }

// over tells whether a reconfiguration is to be given up: those who are coming,
// and would make it possible, have catchUp for it.
func (p *patience) over(coming bool, catchUp time.Duration) bool {
	now := time.Now()
	if coming {
		p.hoped = now
	}
	return now.Sub(p.began) > catchUp || now.Sub(p.hoped) > absentTime
}
