package ensemble

import (
	"errors"
	"time"

	"zkd/test/wire"
)

// dive is a worker that has many writes in flight, increments of its own counter and sequential creates in turn. When
// the connection breaks, all of them are of unknown outcome.
func (w *worker) dive() {
	w.n = 1
	for {
		select {
		case <-w.load.stop:
			return
		case <-time.After(w.load.opts.Pause):
		}
		err := w.plunge()
		if errors.Is(err, ErrLost) {
			err = w.learn(w.own)
		}
		if err != nil {
			select {
			case <-w.load.stop:
			default:
				w.err = err
			}
			return
		}
	}
}

// plunge sends as many writes as may be in flight, and takes their replies.
func (w *worker) plunge() error {
	w.Session.mu.Lock()
	defer w.Session.mu.Unlock()
	if w.over {
		return ErrExpired
	}
	if w.conn == nil {
		if err := w.attach(); err != nil {
			return err
		}
	}
	var due []Write
	var b []byte
	for range w.load.opts.Depth {
		var wr Write
		var op wire.Op
		var body wire.Body
		if w.n%2 == 0 {
			wr, op, body = w.append()
		} else {
			wr, op, body = w.increment(w.own)
			w.versions[w.own]++ // as it will be when this is applied
		}
		wr.Call = time.Since(w.load.began)
		b = w.enqueue(b, op, body)
		due = append(due, wr)
		w.n++
	}
	err := w.conn.Write(b)
	if err != nil {
		err = w.broken(err)
	}
	for i := range due {
		wr := &due[i]
		wr.Outcome = Unknown
		if err == nil {
			var r *wire.Reply
			if r, err = w.next(); err == nil {
				err = w.told(wr, r)
			}
		}
		wr.Return = time.Since(w.load.began)
		w.note(*wr)
	}
	return err
}

// told notes a reply. A refusal that says that the session is elsewhere, or over, says nothing of the write.
func (w *worker) told(wr *Write, r *wire.Reply) error {
	switch r.Err {
	case 0:
		wr.Outcome, wr.Zxid = Acknowledged, r.Zxid
		if wr.Kind == Append {
			wr.Path = *r.Path
		} else {
			wr.Version = r.Stat.Version
		}
		w.load.acked.Add(1)
	case wire.CodeSessionMoved:
		return w.broken(nil)
	case wire.CodeSessionExpired:
		w.over = true
		return ErrExpired
	default:
		wr.Outcome = Refused
	}
	return nil
}
