package store

// mutex is a lock under which files are written and synced. It is a channel,
// because testing/synctest takes who waits for one as asleep, unlike who waits
// for a sync.Mutex: a simulated disk takes its time in simulated time.
type mutex chan struct{}

func newMutex() mutex { return make(mutex, 1) }

func (m mutex) Lock()   { m <- struct{}{} }
func (m mutex) Unlock() { <-m }
