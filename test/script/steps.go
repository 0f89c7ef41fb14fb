package script

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"zkd/test/wire"
)

// steps are the verbs that are more than one request.
//
//	connect [timeout=MS] [session=NAME] [pw=wrong|null|empty|N] [zxid=now|big|MARK] [ro=0|1|none] [proto=N]
//	        [extra=N] [at=N] [slow]   shake hands; session= re-attaches, at= says with which server of an ensemble, slow
//	                              sends byte by byte
//	dial                          connect without a handshake
//	bytes HEX…                    send as it is
//	frame HEX…                    send with the length in front
//	flush                         send what & held back
//	send                          send what & held back and read nothing; receive then reads the replies
//	race NAME                     send what & held back for both sessions at once, and print what came back as a
//	                              sorted list of outcomes, because either may have been first
//	eof                           read until the server closes
//	alive                         does a ping get its answer?
//	drop                          cut the connection from our side
//	part                          the same, and wait until the server has noticed
//	halfclose                     send FIN, keep reading
//	text                          print everything up to the end of the stream
//	size                          print the size of the next frame
//	silent MS                     nothing comes and the connection stays open for so long
//	expires MS                    say nothing until the server closes; not before MS, nor long after
//	pings EVERY FOR               ping for a while;  auths EVERY: auth packets until the server closes
//	await N                       wait for N events
//	gone PATH [after=MS]          wait until the node is gone, which must not be sooner than MS after the last write;
//	                              sends what & held back first, so that nothing is collected in between
//	stays PATH MS                 the node exists all that time
//	mark NAME                     name the newest zxid seen
//	words WORD [keys] [from=X] [to=Y]   a four-letter word on a connection of its own; keys shows only what lines begin
//	                              with, from and to cut out the lines from one that begins with X to before one with Y,
//	                              only=X the lines that begin with X; sorted is for lists below heads, like wchc's
//	wordhas WORD KEY…             which of these keys begin no line of the answer
//	restart                       kill and start the server
//	outage WHO kill|term [real]   end servers and start them again (spread.go): WHO is a number, leader, all or rolling;
//	                              with real a ZooKeeper has it too; who was connected there is not any more
//	leave N kill|term, return     the same of one server, with steps in between
var steps map[string]func(*run, *client, *args) error

func init() {
	steps = map[string]func(*run, *client, *args) error{
		"connect": (*run).stepConnect,
		"dial": func(r *run, c *client, a *args) (err error) {
			c.conn, err = wire.Dial(r.addr(c), dialTimeout)
			return err
		},
		"bytes":     func(r *run, c *client, a *args) error { return ignoreClosed(c.conn.Write(a.hex(0))) },
		"frame":     func(r *run, c *client, a *args) error { return ignoreClosed(c.conn.Write(wire.Frame(a.hex(0)))) },
		"flush":     func(r *run, c *client, a *args) error { return r.flush(c) },
		"send":      func(r *run, c *client, a *args) error { return r.send(c) },
		"receive":   func(r *run, c *client, a *args) error { return r.receive(c) },
		"race":      (*run).stepRace,
		"eof":       (*run).stepEOF,
		"alive":     (*run).stepAlive,
		"drop":      func(r *run, c *client, a *args) error { c.closed = true; c.conn.Close(); return nil },
		"part":      func(r *run, c *client, a *args) error { return r.part(c) },
		"halfclose": func(r *run, c *client, a *args) error { return c.conn.CloseWrite() },
		"text":      (*run).stepText,
		"size":      (*run).stepSize,
		"silent":    (*run).stepSilent,
		"expires":   (*run).stepExpires,
		"pings":     (*run).stepPings,
		"auths":     (*run).stepAuths,
		"await":     (*run).stepAwait,
		"gone":      (*run).stepGone,
		"stays":     (*run).stepStays,
		"mark":      func(r *run, c *client, a *args) error { r.marks[a.tok(0).text] = r.seen; return nil },
		"words":     (*run).stepWords,
		"wordhas":   (*run).stepWordHas,
		"restart":   func(r *run, c *client, a *args) error { return r.restart() },
		"outage":    (*run).stepOutage,
		"leave":     (*run).stepLeave,
		"return":    (*run).stepReturn,
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, wire.ErrClosed) {
		return nil
	}
	return err
}

func (r *run) stepConnect(c *client, a *args) error {
	req := wire.ConnectRequest{
		Version:   int32(a.optNum("proto", 0)),
		LastZxid:  r.mark(a.opt["zxid"].text),
		TimeoutMs: int32(a.optNum("timeout", int64(r.timeout()))),
		Password:  make([]byte, 16),
		ReadOnly:  new(bool),
		Extra:     make([]byte, a.optNum("extra", 0)),
	}
	if a.has("session") {
		name := a.opt["session"].text
		if i := slices.IndexFunc(r.clients, func(o *client) bool { return o.name == name }); i >= 0 {
			req.Session, req.Password = r.clients[i].id, r.clients[i].password
		} else {
			req.Session = a.toNum(name)
		}
	}
	switch pw := a.opt["pw"].text; pw {
	case "":
	case "wrong":
		req.Password = bytes.Repeat([]byte{7}, 16)
	case "null":
		req.Password = nil
	case "empty":
		req.Password = []byte{}
	default:
		req.Password = make([]byte, a.toNum(pw))
	}
	switch a.opt["ro"].text {
	case "none":
		req.ReadOnly = nil
	case "1":
		*req.ReadOnly = true
	}
	c.at = int(a.optNum("at", 0))
	conn, err := wire.Dial(r.addr(c), dialTimeout)
	if errors.Is(err, wire.ErrClosed) {
		r.say(c, "closed")
		return nil
	}
	if err != nil {
		return err
	}
	if c.conn != nil {
		r.old = append(r.old, c.conn) // the server may still have to notice that this one takes its place
	}
	c.conn, c.closed, c.watching, c.sending = conn, false, false, nil
	frame := wire.Frame(req.Payload())
	if c.connect {
		c.sending = frame
		return nil
	}
	if !a.has("slow") {
		if err := ignoreClosed(c.conn.Write(frame)); err != nil {
			return err
		}
		return r.readConnect(c)
	}
	for i := range frame {
		if err := ignoreClosed(c.conn.Write(frame[i : i+1])); err != nil {
			return err
		}
	}
	return r.readConnect(c)
}

// readConnect prints the answer to a handshake.
func (r *run) readConnect(c *client) error {
	resp, err := c.conn.ReadConnect(replyTimeout)
	if errors.Is(err, wire.ErrClosed) {
		r.say(c, "closed")
		c.closed = true
		return nil
	}
	if err != nil {
		return err
	}
	old := c.password
	r.adopt(c, resp)
	line := fmt.Sprintf("connected timeout=%d session=%s", resp.TimeoutMs, r.f.session(resp.Session))
	switch {
	case resp.Session == 0 && bytes.Equal(resp.Password, make([]byte, 16)):
		line += " password=zeros"
	case r.samePassword(c, resp, old):
		line += " password=same"
	default:
		line += fmt.Sprintf(" password=%d bytes", len(resp.Password))
	}
	if resp.ReadOnly != nil {
		line += fmt.Sprintf(" readonly=%v", *resp.ReadOnly)
	}
	if resp.Version != 0 {
		line += fmt.Sprintf(" version=%d", resp.Version)
	}
	r.say(c, "%s payload=%d", line, resp.Size)
	return nil
}

// samePassword reports whether another connection of the session, or this one earlier, had this very password.
func (r *run) samePassword(c *client, resp *wire.ConnectResponse, old []byte) bool {
	if old != nil && bytes.Equal(old, resp.Password) {
		return true
	}
	return slices.ContainsFunc(r.clients, func(o *client) bool {
		return o != c && o.id == resp.Session && bytes.Equal(o.password, resp.Password)
	})
}

// part ends a connection and waits until the server has done so too. ZooKeeper may otherwise notice only when another
// connection has the session, and then takes that one for ended.
func (r *run) part(c *client) error {
	defer c.conn.Close()
	if c.closed {
		return nil
	}
	c.closed, c.sending = true, nil
	if c.conn.CloseWrite() != nil {
		return nil // it is gone
	}
	_, err := c.conn.ReadAll(replyTimeout)
	return err
}

func (r *run) stepEOF(c *client, a *args) error {
	for !c.closed {
		e, rep, err := c.conn.Next(replyTimeout)
		switch {
		case errors.Is(err, wire.ErrClosed):
			r.say(c, "closed")
			c.closed = true
		case errors.Is(err, wire.ErrTimeout):
			r.say(c, "still open")
			return nil
		case err != nil:
			return err
		case e != nil:
			r.sayEvent(c, e)
		default:
			r.reply(c, rep)
		}
	}
	return nil
}

func (r *run) stepAlive(c *client, a *args) error {
	if c.closed {
		r.say(c, "closed")
		return nil
	}
	c.conn.Send(-2, wire.OpPing, nil)
	for {
		e, rep, err := c.conn.Next(replyTimeout)
		switch {
		case e != nil:
			r.sayEvent(c, e)
			continue
		case errors.Is(err, wire.ErrClosed):
			r.say(c, "closed")
			c.closed = true
		case err != nil:
			return err
		case rep.Op == wire.OpPing && rep.Err == 0:
			c.heard = time.Now()
			r.say(c, "alive")
		default:
			r.reply(c, rep)
			continue
		}
		return nil
	}
}

func (r *run) stepRace(c *client, a *args) error {
	other, err := r.session(a.tok(0).text, "race")
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	both := []*client{c, other}
	for _, c := range both {
		bytes := c.sending
		c.sending = nil
		wg.Go(func() { c.conn.Write(bytes) })
	}
	wg.Wait()
	var outcomes []string
	for _, c := range both {
		for c.conn.Pending() > 0 && !c.closed {
			e, rep, err := c.conn.Next(replyTimeout)
			switch {
			case errors.Is(err, wire.ErrClosed):
				outcomes = append(outcomes, "closed")
				c.closed = true
			case err != nil:
				return err
			case e != nil:
				outcomes = append(outcomes, fmt.Sprintf("event %v %s", e.Type, r.f.text(e.Path)))
			default:
				r.seen = max(r.seen, rep.Zxid)
				what := fmt.Sprintf("op %d %v", rep.Op, rep.Err)
				for _, res := range rep.Results {
					what += fmt.Sprintf(" %v", res.Err)
				}
				outcomes = append(outcomes, what)
			}
		}
	}
	slices.Sort(outcomes)
	for _, o := range outcomes {
		fmt.Fprintf(&r.out, "    %s or %s: %s\n", c.name, other.name, o)
	}
	return nil
}

func (r *run) stepText(c *client, a *args) error {
	b, err := c.conn.ReadAll(replyTimeout)
	if err != nil {
		r.say(c, "%q and still open", b)
		return nil
	}
	c.closed = true
	r.say(c, "%q then closed", b)
	return nil
}

func (r *run) stepSize(c *client, a *args) error {
	p, err := c.conn.ReadFrame(replyTimeout)
	if errors.Is(err, wire.ErrClosed) {
		r.say(c, "closed")
		c.closed = true
		return nil
	}
	if err != nil {
		return err
	}
	r.say(c, "frame of %d bytes", len(p))
	return nil
}

func (r *run) stepSilent(c *client, a *args) error {
	p, err := c.conn.ReadFrame(time.Duration(a.num(0, 300)) * time.Millisecond)
	switch {
	case errors.Is(err, wire.ErrTimeout):
		r.say(c, "silent and open")
	case errors.Is(err, wire.ErrClosed):
		r.say(c, "closed")
		c.closed = true
	default:
		r.say(c, "frame %x", p)
	}
	return nil
}

func (r *run) stepExpires(c *client, a *args) error {
	timeout := time.Duration(a.num(0, 0)) * time.Millisecond
	if err := r.stepEOF(c, a); err != nil {
		return err
	}
	// A session may outlive its timeout by one tick; the rest is allowance for a busy machine.
	took, most := time.Since(c.heard), timeout+4*time.Second
	if took < timeout-100*time.Millisecond || took > most {
		r.say(c, "after %v, which is not between %v and %v", took, timeout, most)
	} else {
		r.say(c, "in time")
	}
	return nil
}

func (r *run) stepPings(c *client, a *args) error {
	every, total := time.Duration(a.num(0, 0))*time.Millisecond, time.Duration(a.num(1, 0))*time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for end := time.Now().Add(total); time.Now().Before(end); <-tick.C {
		c.conn.Send(-2, wire.OpPing, nil)
		if _, _, err := c.conn.Next(replyTimeout); err != nil {
			r.say(c, "ping: %v", err)
			return nil
		}
	}
	c.heard = time.Now()
	return nil
}

func (r *run) stepAuths(c *client, a *args) error {
	every := time.Duration(a.num(0, 0)) * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for end := time.Now().Add(replyTimeout); time.Now().Before(end); <-tick.C {
		c.conn.Send(-4, wire.OpAuth, wire.Auth{Scheme: "digest", Data: []byte("u:p")})
		if _, _, err := c.conn.Next(replyTimeout); errors.Is(err, wire.ErrClosed) {
			r.say(c, "closed")
			c.closed = true
			return nil
		}
	}
	r.say(c, "still open")
	return nil
}

func (r *run) stepAwait(c *client, a *args) error {
	for range a.num(0, 1) {
		if err := r.next(c, replyTimeout); err != nil || c.closed {
			return err
		}
	}
	return nil
}

// probe asks whether a node exists, and prints events that come meanwhile.
func (r *run) probe(c *client, path string) (bool, error) {
	c.xid++
	c.conn.Send(c.xid, wire.OpExists, wire.PathWatch{Path: path})
	for {
		e, rep, err := c.conn.Next(replyTimeout)
		if err != nil {
			return false, err
		}
		if e != nil {
			r.sayEvent(c, e)
			continue
		}
		return rep.Err == 0, nil
	}
}

// probeEvery is how often a condition on the tree is looked at.
const probeEvery = 20 * time.Millisecond

func (r *run) stepGone(c *client, a *args) error {
	path, after := a.path(0), time.Duration(a.optNum("after", 0))*time.Millisecond
	if len(c.sending) > 0 {
		if err := r.flush(c); err != nil {
			return err
		}
	}
	for end := time.Now().Add(replyTimeout); time.Now().Before(end); time.Sleep(probeEvery) {
		there, err := r.probe(c, path)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		// The server's clock may count from up to a millisecond before ours.
		if took := time.Since(r.written); took < after-2*time.Millisecond {
			r.say(c, "gone after %v already", took)
			return nil
		}
		r.say(c, "gone")
		return nil
	}
	r.say(c, "still there")
	return nil
}

func (r *run) stepStays(c *client, a *args) error {
	path := a.path(0)
	for end := time.Now().Add(time.Duration(a.num(1, 0)) * time.Millisecond); time.Now().Before(end); time.Sleep(probeEvery) {
		there, err := r.probe(c, path)
		if err != nil {
			return err
		}
		if !there {
			r.say(c, "gone")
			return nil
		}
	}
	r.say(c, "stays")
	return nil
}

var lineKey = regexp.MustCompile(`^[^:=\t]+[:=\t]`)
