package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"zkd/test/proc"
)

// idlePings is how many pings fall into a session timeout, as in ZooKeeper's own client.
const idlePings = 3

// runIdle opens N sessions that only ping and reports what they cost a server in memory and time.
func runIdle(ctx context.Context, s *server, o *options) (sample, error) {
	if err := raiseFileLimit(o.Idle); err != nil {
		return sample{}, err
	}
	memBefore, heapBefore, err := s.footprint()
	if err != nil {
		return sample{}, err
	}
	begin := time.Now()
	cs, err := connectMany([]string{s.addr}, o.Idle, sessionTimeout)
	if err != nil {
		return sample{}, fmt.Errorf("idle: %w", err)
	}
	opened := time.Since(begin)
	cpuBefore, err := proc.CPU(s.pid())
	if err == nil {
		begin = time.Now()
		err = pingAll(ctx, cs, max(o.Time, sessionTimeout/idlePings))
	}
	if err != nil {
		dropAll(cs)
		return sample{}, fmt.Errorf("idle: %w", err)
	}
	took := time.Since(begin)
	cpuAfter, err := proc.CPU(s.pid())
	if err != nil {
		return sample{}, err
	}
	memAfter, heapAfter, err := s.footprint()
	if err != nil {
		return sample{}, err
	}
	if err := closeAll(cs); err != nil {
		return sample{}, fmt.Errorf("idle: %w", err)
	}
	n := float64(o.Idle)
	one := sample{Scenario: idleName(o.Idle), Server: s.kind.name, Values: map[metric]float64{
		mOpenRate:      n / opened.Seconds(),
		mRSSPerSession: float64(memAfter.RSS-memBefore.RSS) / n,
		mBusiest:       100 * (cpuAfter - cpuBefore).Seconds() / took.Seconds(),
	}}
	if growth, ok := heapAfter.since(heapBefore); ok {
		one.Values[mHeapPerSession] = float64(growth) / n
	}
	return one, nil
}

// footprint reads the resident memory before asking for the heap, which may collect garbage.
func (s *server) footprint() (proc.Memory, heap, error) {
	m, err := proc.MemoryOf(s.pid())
	if err != nil {
		return m, heap{}, err
	}
	h, err := s.kind.liveHeap(s)
	return m, h, err
}

// pingAll pings every session at the pace of a real client, spread evenly, for t.
func pingAll(ctx context.Context, cs []*client, t time.Duration) error {
	ping := appendFrame(nil, frame(opPing, nil), xidPing)
	every := cs[0].timeout / idlePings / time.Duration(len(cs))
	var in frames
	begin := time.Now()
	for i := 0; time.Since(begin) < t; i++ {
		c := cs[i%len(cs)]
		c.in.lend(&in)
		if err := c.writeAll(ping); err != nil {
			return err
		}
		b, err := c.readFrame()
		if err != nil {
			return err
		}
		if len(b) != replyHeaderSize || getInt(b) != xidPing || getInt(b[12:]) != 0 {
			return errors.New("wrong reply to a ping")
		}
		c.in.giveBack(&in)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if due := begin.Add(time.Duration(i+1) * every); time.Until(due) > 0 {
			time.Sleep(time.Until(due))
		} else if i%64 == 0 {
			runtime.Gosched()
		}
	}
	return nil
}
