package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zkd/consensus"
	"zkd/session"
	"zkd/znode"
)

// scrubRate is how fast a scrub goes through the znodes, in bytes a second: a
// small part of what one processor could, so that nobody notices. Slower would
// be worse: while it goes on, what is overwritten is kept.
const scrubRate = 256 << 20

// scrub checks every now and then that the state in memory is what its digest
// says: a bit that has changed there is found before clients, or a snapshot,
// have had it for long. Snapshots check what they write all the same; a server
// with little to do may not take one in months.
func (s *Server) scrub(ctx context.Context) {
	if every := s.cfg.ScrubInterval; every > 0 {
		s.scrubEvery(ctx, every)
	}
}

func (s *Server) scrubEvery(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := s.now()
		err := s.state.scrub(ctx)
		switch {
		case err == nil:
			s.log.Debug("memory checked", "took", s.now()-began)
		case ctx.Err() == nil:
			s.failed(err)
			return
		}
	}
}

// scrub checks the state as it is now.
func (s *state) scrub(ctx context.Context) error {
	i := s.snapshot()
	defer i.Release()
	began, read := time.Now(), 0
	return i.verify(func(bytes int) error {
		read += bytes
		early := time.Duration(float64(read)/scrubRate*float64(time.Second)) - time.Since(began)
		if early < time.Millisecond {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(early):
			return nil
		}
	})
}

// verify compares what was captured with the digests that were captured with
// it. Its error is an ErrDamaged, or pace's.
func (i *stateImage) verify(pace func(bytes int) error) error {
	if err := i.verifyHead(); err != nil {
		return err
	}
	return damaged(i.tree.Verify(pace))
}

// verifyHead is verify for everything but the tree.
func (i *stateImage) verifyHead() error {
	if session.Digest(i.sessions) != i.sessionsDigest {
		return fmt.Errorf("server: %w: the sessions do not have their digest", consensus.ErrDamaged)
	}
	if membersDigest(i.members) != i.membersDigest {
		return fmt.Errorf("server: %w: the members do not have their digest", consensus.ErrDamaged)
	}
	return nil
}

// damaged tells damage of the tree by the error that says so of any state.
func damaged(err error) error {
	if errors.Is(err, znode.ErrDigest) {
		return fmt.Errorf("server: %w: %w", consensus.ErrDamaged, err)
	}
	return err
}
