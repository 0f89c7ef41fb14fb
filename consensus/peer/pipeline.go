package peer

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

var (
	errRefused = errors.New("peer: the follower has refused entries")
	errBehind  = errors.New("peer: raft has more entries for the follower and does not send them")
)

const (
	pipelineBuffer = 32 << 10
	// MaxEntries are in a message (raft.Config.MaxAppendEntries). An entry has
	// many requests, and up to 2 MiB.
	MaxEntries = 16
	// lull is how long raft may leave a pipeline alone that is behind. What
	// comes in meanwhile makes raft send more; without that it would send
	// MaxEntries every CommitTimeout, 40 a second.
	lull = 20 * time.Millisecond
)

// pipeline sends entries to one follower without waiting for each to be
// answered. What it is told of commits goes the same way, so that it has the
// entry when it hears of it.
type pipeline struct {
	t    *Transport
	peer raft.ServerID
	conn *raftConn
	room chan struct{} // has an element for each message on its way
	done chan raft.AppendFuture
	over chan struct{} // closed when the pipeline has failed, or was closed
	wg   sync.WaitGroup

	write sync.Mutex // held while something is written
	w     *bufio.Writer
	now   instant          // w's connection
	line  [commitSize]byte // what dueLocked returns

	mu     sync.Mutex
	flight []*appended // not answered, oldest first
	half   bool        // the last of them is not all written yet
	behind *time.Timer // runs while all is answered, and the last message was as long as they get
	failed error
	sent   uint64 // the last entry that the follower has, or is about to
	told   uint64 // it has been told that this one is committed
	commit nudge  // what it is to be told, once it has the entry
}

// appended is a message of entries on its way. It implements raft.AppendFuture.
type appended struct {
	at   time.Time
	req  *raft.AppendEntriesRequest
	resp *raft.AppendEntriesResponse
	err  error // once it is in done
}

func (a *appended) Error() error                          { return a.err }
func (a *appended) Start() time.Time                      { return a.at }
func (a *appended) Request() *raft.AppendEntriesRequest   { return a.req }
func (a *appended) Response() *raft.AppendEntriesResponse { return a.resp }

// AppendEntriesPipeline implements raft.Transport.
func (t *Transport) AppendEntriesPipeline(id raft.ServerID, at raft.ServerAddress) (raft.AppendPipeline, error) {
	c, err := t.stream.dial(at, forEntries, raftTimeout)
	if err != nil {
		return nil, err
	}
	p := &pipeline{
		t: t, peer: id, conn: c, w: bufio.NewWriterSize(c, pipelineBuffer),
		room: make(chan struct{}, raftInFlight), done: make(chan raft.AppendFuture, raftInFlight), over: make(chan struct{}),
	}
	p.now.init(c.Conn)
	p.behind = time.AfterFunc(time.Hour, p.yield)
	p.behind.Stop()
	p.wg.Go(p.answers)
	t.nudges.opened(p)
	return p, nil
}

// AppendEntries implements raft.AppendPipeline. It waits while there are enough
// on their way.
func (p *pipeline) AppendEntries(req *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	select {
	case p.room <- struct{}{}:
	case <-p.over:
		return nil, p.failure()
	}
	a := &appended{at: time.Now(), req: req, resp: resp}
	p.write.Lock()
	defer p.unlock()
	err := p.expect(a)
	if err == nil {
		err = writeEntries(p.w, req)
	}
	if err == nil {
		_, err = p.w.Write(p.passed(req))
	}
	if err == nil {
		err = p.w.Flush()
	}
	if err == nil {
		err = p.written()
	}
	if err != nil {
		p.fail(err)
		return nil, err
	}
	return a, nil
}

// expect notes that there will be an answer, before the message is sent. Until
// all of it is, only the writing has a deadline.
func (p *pipeline) expect(a *appended) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return p.failed
	}
	p.behind.Stop()
	p.flight, p.half = append(p.flight, a), true
	return nil
}

// written has the answer awaited, for so long as the follower may take.
func (p *pipeline) written() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.half = false
	return p.awaitLocked()
}

func (p *pipeline) awaitLocked() error {
	if n := len(p.flight); n > 1 || n == 1 && !p.half {
		return p.conn.awaitAnswer()
	}
	return p.conn.Conn.SetReadDeadline(time.Time{})
}

// answers is the goroutine that reads what the follower answers.
func (p *pipeline) answers() {
	var b [entriesAck]byte
	for {
		if _, err := io.ReadFull(p.conn.Conn, b[:]); err != nil {
			p.fail(p.conn.fault(err))
			return
		}
		a, err := p.answered()
		if err == nil {
			err = decodeAck(&b, a.resp)
		}
		if err != nil {
			p.fail(err)
			return
		}
		refused := !a.resp.Success
		select {
		case p.done <- a:
		case <-p.over:
			return
		}
		if refused {
			p.fail(errRefused) // raft reads no more
			return
		}
		<-p.room
	}
}

// answered returns the message that an answer is to.
func (p *pipeline) answered() (*appended, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.flight) == 0 {
		return nil, errEntries
	}
	a := p.flight[0]
	p.flight = slices.Delete(p.flight, 0, 1)
	if len(p.flight) == 0 && len(a.req.Entries) >= MaxEntries {
		p.behind.Reset(lull)
	}
	p.conn.sent.Store(0)
	return a, p.awaitLocked()
}

// fail ends the pipeline. Raft sees a message that was no success, if there is
// one on its way, else the error of the next, and closes it.
func (p *pipeline) fail(err error) {
	p.mu.Lock()
	if p.failed == nil {
		p.failed = err
		close(p.over)
	}
	lost := p.flight
	p.flight = nil
	p.behind.Stop()
	p.mu.Unlock()
	_ = p.conn.Close()
	if len(lost) == 0 {
		return
	}
	lost[0].err = err
	select {
	case p.done <- lost[0]:
	default:
	}
}

// yield ends a pipeline that raft leaves alone though the follower is behind.
// Raft is told of a refusal: it sends everything there is by single messages
// then, one after the other, and begins with a pipeline again.
func (p *pipeline) yield() {
	p.mu.Lock()
	if p.failed != nil || len(p.flight) > 0 {
		p.mu.Unlock()
		return
	}
	p.failed = errBehind
	close(p.over)
	p.mu.Unlock()
	_ = p.conn.Close()
	select {
	case p.done <- &appended{at: time.Now(), req: &raft.AppendEntriesRequest{}, resp: &raft.AppendEntriesResponse{}, err: errBehind}:
	default: // raft has not even taken what was answered, and will hear of the failure with what it sends next
	}
}

// failure is why the pipeline takes nothing any more, nil if it does.
func (p *pipeline) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// Consumer implements raft.AppendPipeline.
func (p *pipeline) Consumer() <-chan raft.AppendFuture { return p.done }

// Close implements raft.AppendPipeline.
func (p *pipeline) Close() error {
	p.t.nudges.ended(p)
	p.fail(raft.ErrPipelineShutdown)
	p.wg.Wait()
	return nil
}

// passed notes what the follower has, or is about to, with a message, and returns
// what else it is to be told.
func (p *pipeline) passed(req *raft.AppendEntriesRequest) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = req.PrevLogEntry
	if n := len(req.Entries); n > 0 {
		p.sent = req.Entries[n-1].Index
	}
	return p.dueLocked()
}

// tell has the follower told that an entry is committed: at once, or when it has
// been sent to it. It does not wait, but for others who do not either. It returns
// false if that has to be done in another way. mu of the nudges is held.
func (p *pipeline) tell(term, index uint64) bool {
	p.mu.Lock()
	p.commit.term, p.commit.index = term, index
	usable := p.failed == nil
	p.mu.Unlock()
	if !usable {
		return false
	}
	if !p.write.TryLock() {
		return true // whoever holds it looks again when it is released
	}
	p.mu.Lock()
	fresh, due := p.sent == 0, p.dueLocked()
	p.mu.Unlock()
	if fresh {
		p.unlock()
		return false // it got what it has over other connections
	}
	n, err := p.conn.writeNow(&p.now, due)
	if err == nil && n < len(due) {
		p.t.nudges.wg.Go(func() { p.finish(due[n:]) })
		return true
	}
	if err != nil {
		p.fail(err)
	}
	p.unlock()
	return err == nil
}

// finish writes what tell could not write at once.
func (p *pipeline) finish(rest []byte) {
	if _, err := p.conn.Write(rest); err != nil {
		p.fail(err)
	}
	p.unlock()
}

// unlock releases write, unless there is something to be told that somebody has
// left to the holder.
func (p *pipeline) unlock() {
	for {
		p.write.Unlock()
		if !p.isDue() || !p.write.TryLock() {
			return
		}
		p.mu.Lock()
		due := p.dueLocked()
		p.mu.Unlock()
		if _, err := p.conn.Write(due); err != nil {
			p.fail(err)
		}
	}
}

// dueLocked returns what is to be told, if the follower has the entry by then.
// write is held, too.
func (p *pipeline) dueLocked() []byte {
	if !p.isDueLocked() {
		return nil
	}
	p.told = p.commit.index
	return appendCommit(p.line[:0], p.commit.term, p.told)
}

func (p *pipeline) isDue() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isDueLocked()
}

func (p *pipeline) isDueLocked() bool {
	return p.failed == nil && p.told < p.commit.index && p.commit.index <= p.sent
}
