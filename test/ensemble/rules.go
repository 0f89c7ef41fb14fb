package ensemble

import (
	"slices"
	"time"
)

// Rule says what becomes of packets. Of several that take a packet the one made last counts; a packet that none takes
// passes at once.
type Rule struct {
	From, To    []int // ids of spaces, which are those of their servers; nil is all
	Ports       []int // at either end; nil is all
	Established bool  // only of connections that were there when the rule was made

	Loss          float64       // part of the packets that vanish; 1 is a cut
	Reset         bool          // both ends are told that the connection is reset
	Hold          bool          // packets wait until the rule is gone
	Delay, Jitter time.Duration // packets come that much later, and up to Jitter more, in order
	Rate          int           // bytes a second that pass; 0 is no limit

	made int
	held []packet
}

// The ports of servers that have a network.
var (
	PeerPorts   = []int{2888, 3888}
	ClientPorts = []int{2181}
)

// IDs are those of servers.
func IDs(servers ...*Server) (ids []int) {
	for _, s := range servers {
		ids = append(ids, s.ID)
	}
	return ids
}

// Add makes rules.
func (n *Network) Add(rules ...*Rule) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.made++
	for _, r := range rules {
		r.made = n.made
		n.rules = append(n.rules, r)
	}
}

// Remove takes rules back. What they held goes on.
func (n *Network) Remove(rules ...*Rule) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules = slices.DeleteFunc(n.rules, func(r *Rule) bool { return slices.Contains(rules, r) })
	for _, r := range rules {
		for _, p := range r.held {
			n.deliver(p)
		}
		r.held = nil
	}
}

// Heal makes all links whole.
func (n *Network) Heal() {
	n.mu.Lock()
	all := n.rules
	n.mu.Unlock()
	n.Remove(slices.Clone(all)...)
}

// CutOneWay drops what is sent from one group of servers to another; the way back stays open.
func (n *Network) CutOneWay(from, to []*Server) {
	n.Add(&Rule{From: IDs(from...), To: IDs(to...), Loss: 1})
}

// Cut parts two groups of servers from each other.
func (n *Network) Cut(a, b []*Server) {
	n.CutOneWay(a, b)
	n.CutOneWay(b, a)
}

// Between are two rules like r, one for each direction between two groups.
func Between(a, b []int, r Rule) (there, back *Rule) {
	x, y := r, r
	x.From, x.To, y.From, y.To = a, b, b, a
	return &x, &y
}

func (r *Rule) takes(p packet, began int) bool {
	from, to := p.ends()
	if r.From != nil && !slices.Contains(r.From, from) || r.To != nil && !slices.Contains(r.To, to) {
		return false
	}
	if !p.tcp() {
		return r.Ports == nil && !r.Established
	}
	if r.Ports != nil {
		a, b := p.ports()
		if !slices.Contains(r.Ports, a) && !slices.Contains(r.Ports, b) {
			return false
		}
	}
	return !r.Established || began < r.made
}

// send does with a packet what the rules say. It may keep the packet, whose bytes are the caller's.
func (n *Network) send(p packet) {
	n.mu.Lock()
	defer n.mu.Unlock()
	began := 0
	if p.tcp() {
		f := p.flow()
		if p.flags()&(flagSyn|flagAck) == flagSyn {
			n.flows[f] = n.made
		}
		began = n.flows[f]
	}
	for i := len(n.rules) - 1; i >= 0; i-- {
		r := n.rules[i]
		if !r.takes(p, began) {
			continue
		}
		switch {
		case r.Loss > 0 && n.rnd.Float64() < r.Loss:
		case r.Reset && p.tcp():
			if p.flags()&flagRst == 0 {
				n.deliver(p.reset(false))
				n.deliver(p.reset(true))
			}
		case r.Hold:
			r.held = append(r.held, slices.Clone(p))
		case r.Delay > 0 || r.Jitter > 0 || r.Rate > 0:
			n.delay(slices.Clone(p), r)
		default:
			n.deliver(p)
		}
		return
	}
	n.deliver(p)
}

// deliver writes a packet to its receiver's tunnel. One that cannot be is lost, as packets are.
func (n *Network) deliver(p packet) {
	_, to := p.ends()
	if s := n.spaces[to]; s != nil {
		s.tun.Write(p)
	}
}

// link is one direction between two spaces, as far as packets come late on it.
type link struct {
	free    time.Time // when what is on its way has been sent
	late    []latePacket
	drained bool // by a goroutine, which ends when nothing is late
}

type latePacket struct {
	due time.Time
	packet
}

// longest is how long packets wait for a narrow link before more of them are dropped.
const longest = 500 * time.Millisecond

// delay lets a packet come later, behind those before it.
func (n *Network) delay(p packet, r *Rule) {
	from, to := p.ends()
	l := n.links[[2]int{from, to}]
	if l == nil {
		l = &link{}
		n.links[[2]int{from, to}] = l
	}
	now := time.Now()
	due := now
	if r.Rate > 0 {
		if l.free.Before(now) {
			l.free = now
		}
		if l.free.Sub(now) > longest {
			return
		}
		l.free = l.free.Add(time.Duration(len(p)) * time.Second / time.Duration(r.Rate))
		due = l.free
	}
	due = due.Add(r.Delay)
	if r.Jitter > 0 {
		due = due.Add(time.Duration(n.rnd.Int64N(int64(r.Jitter))))
	}
	if len(l.late) > 0 && due.Before(l.late[len(l.late)-1].due) {
		due = l.late[len(l.late)-1].due
	}
	l.late = append(l.late, latePacket{due, p})
	if !l.drained {
		l.drained = true
		go n.drain(l)
	}
}

// drain delivers what is late on a link as it falls due.
func (n *Network) drain(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(l.late) > 0 {
		if wait := time.Until(l.late[0].due); wait > 0 {
			n.mu.Unlock()
			time.Sleep(wait)
			n.mu.Lock()
			continue
		}
		n.deliver(l.late[0].packet)
		l.late = l.late[1:]
	}
	l.drained = false
}
