package store

import "errors"

// Kinds of failure a caller may tell apart with errors.Is. Every returned
// error wraps one of these or the operating system's error, and names the
// operation and the file.
var (
	// ErrCorrupt: bytes on disk (or an entry handed in by a peer) do not match
	// their checksum or their place. The data cannot be trusted.
	ErrCorrupt = errors.New("stored data is damaged")

	// ErrDiskFull: the file system has no room, or less than MinFreeBytes.
	ErrDiskFull = errors.New("disk full")

	// ErrInUse: another process (or another Store of this one) holds the directory.
	ErrInUse = errors.New("data directory is in use")

	// ErrEngine: the directory was created for another log engine, by another
	// format version, or together with another log directory.
	ErrEngine = errors.New("data directory does not fit the configuration")

	// ErrStalled: one append, delete or sync took longer than the watchdog allows.
	ErrStalled = errors.New("storage stalled")

	// ErrRestart: nothing is wrong with what is stored, but raft has an idea of
	// it that only a new start puts right.
	ErrRestart = errors.New("the server must be started again")

	// ErrUnfinished: a crash came between a store and its place, or between it and
	// where it is kept. Open finishes that.
	ErrUnfinished = errors.New("a store is being replaced or set aside, which is not finished")

	// ErrClosed: the store was used after Close.
	ErrClosed = errors.New("store is closed")
)
