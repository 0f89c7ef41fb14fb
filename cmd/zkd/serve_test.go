package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"zkd/server"
)

// Who is told to stop ends also while its start hangs with the disk. One that goes on is waited for.
func TestToldWhileStarting(t *testing.T) {
	for _, hangs := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, tell := context.WithCancel(t.Context())
			disk := make(chan struct{})
			ended := errors.New("ended in good order")
			go func() {
				tell()
				if !hangs {
					close(disk)
				}
			}()
			s, err := unlessTold(ctx, func() (*server.Server, error) {
				<-disk
				return nil, ended
			})
			want := ended
			if hangs {
				want = context.Canceled
				close(disk)
			}
			if s != nil || !errors.Is(err, want) {
				t.Errorf("hangs: %t: %v, %v", hangs, s, err)
			}
		})
	}
}
