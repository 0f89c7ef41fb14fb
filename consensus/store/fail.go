package store

import "zkd/internal/mutant"

import "sync"

// failure is the fail-stop switch shared by all parts of a store. The first
// error thrown into it wins and stays: a failed write or sync leaves memory,
// page cache and disk in unknown disagreement, so nothing that follows could
// be promised (a second fsync may even report success for lost pages).
type failure struct {
	once   sync.Once
	ch     chan struct{} // closed once err is set
	err    error         // written before ch is closed, read after
	mu     sync.Mutex
	notify func(error) // Options.OnFatal, set when Open has succeeded
}

func newFailure() *failure { return &failure{ch: make(chan struct{})} }

// fail records err unless an earlier one stands, and returns err itself.
// The notification runs in a goroutine of its own, so that the callback may
// call Close although the failing operation still holds its lock. It ends when
// the callback does.
func (f *failure) fail(err error) error {
	if mutant.Is(mutant.FailStop) {
		return err
	}
	f.once.Do(func() {
		f.err = err
		close(f.ch)
		f.mu.Lock()
		notify := f.notify
		f.mu.Unlock()
		if notify != nil {
			go notify(err)
		}
	})
	return err
}

// check returns the standing error, nil while the store is healthy.
func (f *failure) check() error {
	select {
	case <-f.ch:
		return f.err
	default:
		return nil
	}
}

// arm starts notifications. What failed before was returned by Open.
func (f *failure) arm(notify func(error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notify = notify
}
