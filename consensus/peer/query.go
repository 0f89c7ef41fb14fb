package peer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

// Kinds of an answer.
const (
	answerBody  = 0
	answerError = 1
)

// maxQuery bounds a query and its answer.
const maxQuery = 4 << 20

// AnswerError is the error that the other server's Handler answered with.
type AnswerError struct {
	By   Identity
	Text string
}

func (e *AnswerError) Error() string { return fmt.Sprintf("server %s: %s", e.By.RaftID, e.Text) }

// Query asks a server something and returns its answer, and who it is now.
// That is known, too, if the error is an AnswerError or a Refusal.
func (n *Network) Query(ctx context.Context, server uint64, kind byte, body []byte) ([]byte, Identity, error) {
	c, w, err := n.dial(ctx, hello{purpose: forQuery, wantServer: server})
	if err != nil {
		return nil, refuser(err), err
	}
	defer n.drop(c, false)
	answer, err := ask(ctx, c, w.from, kind, body, n.patience.write)
	return answer, w.from, err
}

// AskOutside asks the server with that second port, for a process that is no
// server itself.
func AskOutside(ctx context.Context, addr string, secret []byte, kind byte, body []byte) ([]byte, Identity, error) {
	d := net.Dialer{Timeout: defaultDialTimeout}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, Identity{}, fmt.Errorf("peer: %w", err)
	}
	defer c.Close()
	h := hello{purpose: forAsk, secret: len(secret) > 0}
	w, err := greet(ctx, c, addr, &h, secret, defaultDialTimeout)
	if err != nil {
		return nil, refuser(err), err
	}
	answer, err := ask(ctx, c, w.from, kind, body, defaultDialTimeout)
	return answer, w.from, err
}

// ask sends a query over an open connection and waits for the answer, as long
// as ctx allows.
func ask(ctx context.Context, c net.Conn, by Identity, kind byte, body []byte, patience time.Duration) (_ []byte, err error) {
	defer func() {
		if _, told := err.(*AnswerError); err != nil && !told {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			err = fmt.Errorf("peer: ask server %s: %w", by.RaftID, err)
		}
	}()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if len(body) > maxQuery {
		return nil, ErrTooLong
	}
	w := bufio.NewWriter(&timedWriter{c, patience})
	err = writeMessage(w, kind, body)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		// The writer may have put off a deadline that ctx had set already.
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(c)
	kind, answer, err := readMessage(r, r, 0, maxQuery)
	if err != nil {
		return nil, cut(err)
	}
	if kind == answerError {
		return nil, &AnswerError{By: by, Text: string(answer)}
	}
	return answer, nil
}

// answer takes one query from an open connection and has it answered.
func (n *Network) answer(c net.Conn, h *hello) {
	select {
	case n.queries <- struct{}{}:
		defer func() { <-n.queries }()
	default:
		n.figures.overload.Add(1)
		return
	}
	if c.SetReadDeadline(time.Now().Add(n.patience.write)) != nil {
		return
	}
	r := bufio.NewReader(c)
	kind, body, err := readMessage(r, r, 0, maxQuery)
	if err != nil {
		if err != io.EOF {
			n.complain(c, err)
		}
		return
	}
	result, err := n.handler.Answer(h.from, kind, body)
	kind = answerBody
	if err == nil && len(result) > maxQuery {
		err = ErrTooLong
	}
	if err != nil {
		kind, result = answerError, []byte(err.Error())
		result = result[:min(len(result), maxQuery)]
	}
	w := bufio.NewWriter(&timedWriter{c, n.patience.write})
	if writeMessage(w, kind, result) == nil {
		_ = w.Flush() // the asker knows best whether it still waits
	}
}
