package main

import (
	"context"
	"fmt"
	"time"

	"zkd/test/proc"
)

const (
	fillRoot     = "/fill"
	fillDirSize  = 1000 // znodes below one parent
	fillSessions = 8
	fillDepth    = 32
)

// filler creates every fillSessions-th parent and the znodes below it. A session's requests are
// applied in order, so a parent exists before its children.
type filler struct {
	total    int
	perMulti int // znodes a multi; 0: a create each
	stride   int // parents from one of ours to the next
	dir      int // current parent
	at       int // next znode in it; -1: the parent itself
	data     []byte
	create   *fillFrame
	scratch  []byte
}

func newFiller(total, perMulti, stride, first int, data []byte) *filler {
	f := &filler{total: total, perMulti: perMulti, stride: stride, dir: first, at: -1, data: data}
	f.create = newFillFrame(createFrame(fillPath(0), data, flagPersistent))
	return f
}

func (f *filler) next(dst []byte, xid int32) []byte {
	if f.dir*fillDirSize >= f.total {
		return dst
	}
	if f.at < 0 {
		f.at = 0
		return appendFrame(dst, createFrame(fillDir(f.dir), nil, flagPersistent), xid)
	}
	n := f.dir*fillDirSize + f.at
	last := min(f.total, (f.dir+1)*fillDirSize)
	if f.perMulti > 0 {
		last = min(last, n+f.perMulti)
		dst = f.appendMulti(dst, n, last, xid)
	} else {
		dst = f.create.appendAimed(dst, n, xid)
		last = n + 1
	}
	f.at += last - n
	if f.at >= fillDirSize || last >= f.total {
		f.dir, f.at = f.dir+f.stride, -1
	}
	return dst
}

func (f *filler) appendMulti(dst []byte, from, to int, xid int32) []byte {
	f.scratch = frameInto(f.scratch[:0], opMulti, func(b []byte) []byte {
		for n := from; n < to; n++ {
			b = createBody(appendMultiHeader(b, opCreate, false), fillPath(n), f.data, flagPersistent)
		}
		return appendMultiHeader(b, -1, true)
	})
	return appendFrame(dst, f.scratch, xid)
}

// check is content with code 0, which the driver has seen, but a multi hides failures in its results.
func (f *filler) check(body []byte) error {
	if f.perMulti == 0 || len(body) < multiHeaderSize || getInt(body) != opCreate {
		if f.perMulti > 0 && len(body) >= multiHeaderSize && getInt(body) == -1 {
			return fmt.Errorf("multi failed with code %d", getInt(body[5:]))
		}
		return nil
	}
	record := lengthSize + len(fillPath(0))
	n := (len(body) - multiHeaderSize) / (multiHeaderSize + record)
	return checkMulti(body, n, opCreate, record)
}

// fill creates n znodes by pipelined creates or multis and says how long it took.
func fill(ctx context.Context, s *server, o *options, n int) (time.Duration, error) {
	c, err := connect(s.addr, sessionTimeout)
	if err != nil {
		return 0, err
	}
	if err := c.ensure(fillRoot, nil); err != nil {
		c.drop()
		return 0, err
	}
	if err := c.closeSession(); err != nil {
		return 0, err
	}
	depth, perMulti := fillDepth, o.FillMulti
	if perMulti == 0 && n > million {
		perMulti = fillMultiLarge
	}
	if perMulti > 0 {
		depth = 4 // a multi is many creates already
	}
	begin := time.Now()
	l, err := startLoad(ctx, []string{s.addr}, fillSessions, depth, o.Threads, func(i int) source {
		return newFiller(n, perMulti, fillSessions, i, payload(o.Size))
	})
	if err != nil {
		return 0, err
	}
	err = l.wait()
	return time.Since(begin), err
}

// runFill fills an empty server and reports what memory and disk the znodes take.
func runFill(ctx context.Context, s *server, o *options, n int) (sample, error) {
	_, before, err := s.footprint()
	if err != nil {
		return sample{}, err
	}
	took, err := fill(ctx, s, o, n)
	if err != nil {
		return sample{}, fmt.Errorf("fill: %w", err)
	}
	cpu, err := proc.CPU(s.pid())
	if err != nil {
		return sample{}, err
	}
	mem, after, err := s.footprint()
	if err != nil {
		return sample{}, err
	}
	d := diskOf(s.dataDir())
	note := fmt.Sprintf("live heap: %s; on disk %d snapshots with %s MiB and %d other files with %s MiB",
		after.how, d.snapshotFiles, number(mib(d.snapshots)), d.otherFiles, number(mib(d.rest)))
	one := sample{Scenario: fillName(n), Server: s.kind.name, Note: note, Values: map[metric]float64{
		mThroughput: float64(n) / took.Seconds(),
		mServerCPU:  micros(cpu) / float64(n),
		mRSS:        mib(mem.RSS),
		mPeakRSS:    mib(mem.Peak),
		mDiskUsage:  mib(d.snapshots + d.rest),
	}}
	if !after.resident {
		growth, ok := after.since(before)
		if !ok {
			growth = after.bytes // against ourselves: what an empty server holds counts too
		}
		one.Values[mLiveHeap] = mib(after.bytes)
		one.Values[mHeapPerZnode] = float64(growth) / float64(n)
	}
	return one, nil
}

func fillName(n int) string { return fmt.Sprintf("fill %d znodes", n) }

func mib(n int64) float64 { return float64(n) / (1 << 20) }
