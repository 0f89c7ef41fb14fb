package jute

// Op is a request type (ZooDefs.OpCode).
type Op int32

// The opcodes a client may meet. Negative ones but OpCloseSession are never
// sent by a client.
const (
	OpNotification         Op = 0
	OpCreate               Op = 1
	OpDelete               Op = 2
	OpExists               Op = 3
	OpGetData              Op = 4
	OpSetData              Op = 5
	OpGetACL               Op = 6
	OpSetACL               Op = 7
	OpGetChildren          Op = 8
	OpSync                 Op = 9
	OpPing                 Op = 11
	OpGetChildren2         Op = 12
	OpCheck                Op = 13
	OpMulti                Op = 14
	OpCreate2              Op = 15
	OpReconfig             Op = 16
	OpCheckWatches         Op = 17
	OpRemoveWatches        Op = 18
	OpCreateContainer      Op = 19
	OpDeleteContainer      Op = 20
	OpCreateTTL            Op = 21
	OpMultiRead            Op = 22
	OpAuth                 Op = 100
	OpSetWatches           Op = 101
	OpSASL                 Op = 102
	OpGetEphemerals        Op = 103
	OpGetAllChildrenNumber Op = 104
	OpSetWatches2          Op = 105
	OpAddWatch             Op = 106
	OpWhoAmI               Op = 107
	OpError                Op = -1
	OpCreateSession        Op = -10
	OpCloseSession         Op = -11
)

// Special xids (ClientCnxn): what the client tells apart by number alone.
const (
	XidNotification int32 = -1
	XidPing         int32 = -2
)

// CreateMode is the flags field of the create family (org.apache.zookeeper.CreateMode).
type CreateMode int32

// The create modes that ZooKeeper 3.9 knows.
const (
	Persistent              CreateMode = 0
	Ephemeral               CreateMode = 1
	PersistentSequential    CreateMode = 2
	EphemeralSequential     CreateMode = 3
	Container               CreateMode = 4
	PersistentTTL           CreateMode = 5
	PersistentSequentialTTL CreateMode = 6
)

// Valid tells whether m is one of the known modes.
func (m CreateMode) Valid() bool { return m >= Persistent && m <= PersistentSequentialTTL }

// Ephemeral tells whether the znode lives as long as its session.
func (m CreateMode) Ephemeral() bool { return m == Ephemeral || m == EphemeralSequential }

// Sequential tells whether the name gets the parent's counter as a suffix.
func (m CreateMode) Sequential() bool {
	return m == PersistentSequential || m == EphemeralSequential || m == PersistentSequentialTTL
}

// TTL tells whether the znode carries a time to live.
func (m CreateMode) TTL() bool { return m == PersistentTTL || m == PersistentSequentialTTL }

// Perms are the bits of an ACL entry (ZooDefs.Perms).
const (
	PermRead   int32 = 1
	PermWrite  int32 = 2
	PermCreate int32 = 4
	PermDelete int32 = 8
	PermAdmin  int32 = 16
	PermAll    int32 = 31
)

// EventType is the type field of a WatcherEvent (Watcher.Event.EventType).
type EventType int32

// The event types a server sends.
const (
	EventNodeCreated         EventType = 1
	EventNodeDeleted         EventType = 2
	EventNodeDataChanged     EventType = 3
	EventNodeChildrenChanged EventType = 4
)

// StateSyncConnected is the state field of every event a server sends.
const StateSyncConnected int32 = 3
