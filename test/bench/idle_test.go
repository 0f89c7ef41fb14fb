package main

import (
	"context"
	"testing"
	"time"
)

func TestPingsAreAnswered(t *testing.T) {
	cs, err := connectMany([]string{startFake(t, &fakeServer{})}, 100, sessionTimeout)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		c.timeout = time.Millisecond // many pings in a short test
	}
	if err := pingAll(context.Background(), cs, 20*time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := closeAll(cs); err != nil {
		t.Error(err)
	}
}
