package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"zkd/consensus"
	"zkd/consensus/store"
)

func TestUntilSettled(t *testing.T) {
	anew := fmt.Errorf("consensus: removed: %w", consensus.ErrRejoin)
	other := errors.New("disk full")
	for _, tt := range []struct {
		name string
		ends []error // of one run after the other
		want error
	}{
		{name: "as asked", ends: []error{nil}},
		{name: "another failure", ends: []error{other}, want: other},
		{name: "anew, then as asked", ends: []error{anew, nil}},
		{name: "again, then as asked", ends: []error{fmt.Errorf("store: %w", store.ErrRestart), nil}},
		{name: "anew twice, then another failure", ends: []error{anew, anew, other}, want: other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runs := 0
			err := untilSettled(t.Context(), slog.New(slog.DiscardHandler), func(context.Context) error {
				runs++
				return tt.ends[runs-1]
			})
			if runs != len(tt.ends) || !errors.Is(err, tt.want) {
				t.Errorf("%d runs, error %v; want %d, %v", runs, err, len(tt.ends), tt.want)
			}
		})
	}
	t.Run("told to stop in the pause", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		if err := untilSettled(ctx, slog.New(slog.DiscardHandler), func(context.Context) error { go stop(); return anew }); err != nil && !errors.Is(err, anew) {
			t.Error(err)
		}
	})
}
