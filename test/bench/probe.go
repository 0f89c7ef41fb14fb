package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	startTimeout = 10 * time.Minute // a restart on a million znodes included
	// A probe is sent this often, whether or not the ones before were answered: a starting ZooKeeper may
	// take in a handshake and never answer it, and one patient probe would time its own patience.
	probeEvery   = 10 * time.Millisecond
	probeTimeout = 2 * time.Second
	maxProbes    = 64 // under way at a time
)

// awaitAnswer returns the moment at which a getData of path was first answered with code 0.
func (s *server) awaitAnswer(ctx context.Context, path string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var probes sync.WaitGroup
	defer probes.Wait() // none of them may disturb what is measured next
	slots := make(chan struct{}, maxProbes)
	answered := make(chan time.Time, maxProbes)
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case at := <-answered:
			return at, nil
		case err := <-s.done:
			s.done <- err // whoever ends the process waits for it too
			return time.Time{}, fmt.Errorf("%s ended while starting (%v); its log ends:\n%s", s.kind.name, err, s.logTail())
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%s does not answer: %w; its log ends:\n%s", s.kind.name, ctx.Err(), s.logTail())
		case <-tick.C:
		}
		select {
		case slots <- struct{}{}:
			probes.Go(func() {
				defer func() { <-slots }()
				if at, err := s.probe(path); err == nil {
					select {
					case answered <- at:
					default: // one answer is enough
					}
				}
			})
		default: // enough are under way
		}
	}
}

// probe opens a session, reads path and closes the session again; it returns when the read was answered.
func (s *server) probe(path string) (time.Time, error) {
	c, err := dial(s.addr, sessionTimeout)
	if err != nil {
		return time.Time{}, err
	}
	defer c.drop()
	if err := limitWaits(c.fd, probeTimeout); err != nil {
		return time.Time{}, err
	}
	if err := c.finishHandshake(); err != nil {
		return time.Time{}, err
	}
	code, _, err := c.call(readFrame(opGetData, path, false))
	at := time.Now()
	if err == nil && code != 0 {
		err = fmt.Errorf("getData %s: code %d", path, code)
	}
	if err != nil {
		return time.Time{}, err
	}
	return at, c.closeSession()
}
