package store

// Disk stands between a store and its files, for tests: it may delay an
// operation, refuse it, or note what of it would survive. Every operation on
// contents and names goes through it, but for the lock file. It is called by
// several goroutines at a time.
type Disk interface {
	// Do performs op by calling do, once, and returns its error; or it does not,
	// and returns another. After an error the store counts on nothing that op
	// was about.
	Do(op Op, do func() error) error
	// Room tells how many bytes dir has free, and how many in all.
	Room(dir string) (free, total int64, err error)
	// SegmentSize is the size of new segments of the log, 0 for the usual one.
	SegmentSize() int64
}

// Op is one operation on a file or directory.
type Op struct {
	Kind OpKind
	Path string
	To   string // Rename: the new path, whose file is replaced
	Off  int64  // Write: where,
	Len  int    // and how many bytes
}

// OpKind is what an operation does.
type OpKind uint8

// The kinds of operations. What they change is durable after a Sync of the file,
// for contents, or of the directory, for names.
const (
	// OpRead reads contents; nothing depends on how much.
	OpRead OpKind = iota
	// OpCreate makes a file, or opens it and leaves nothing of it.
	OpCreate
	// OpMkdir makes a directory, and those above it.
	OpMkdir
	// OpWrite changes contents.
	OpWrite
	// OpSync makes contents durable.
	OpSync
	// OpSyncDir makes the names in a directory durable.
	OpSyncDir
	// OpRename gives a file or directory another name.
	OpRename
	// OpRemove removes a file, or a directory with all that is in it.
	OpRemove
	// OpCommit is a transaction of bbolt, or the creation of its file: it
	// writes pages and syncs, writes a meta page and syncs.
	OpCommit
)

var opNames = [...]string{"read", "create", "mkdir", "write", "sync", "syncdir", "rename", "remove", "commit"}

func (k OpKind) String() string { return opNames[k] }
