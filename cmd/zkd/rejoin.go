package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"zkd/consensus"
	"zkd/consensus/store"
)

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second
	// settled is how long a server must have run for the next pause to be the
	// first again.
	settled = time.Minute
)

// untilSettled runs a server again and again as long as it ends because it must
// join its ensemble anew, or just be started again. The pause in between grows
// if that happens again and again.
func untilSettled(ctx context.Context, log *slog.Logger, run func(context.Context) error) error {
	pause := firstPause
	for {
		began := time.Now()
		err := run(ctx)
		again := errors.Is(err, consensus.ErrRejoin) || errors.Is(err, store.ErrRestart)
		if !again || ctx.Err() != nil {
			return err
		}
		if time.Since(began) > settled {
			pause = firstPause
		}
		log.Warn("starting the server again", "reason", err, "pause", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}
