// Package mutant names deliberate bugs: what a build with the tag "mutant"
// does wrong, one at a time, so that the tests can show that they notice
// (test/mutants). In all other builds Is is constant, and nothing of this is
// left.
package mutant

// Rule is what a server does right, and leaves out as a mutant.
type Rule string

// The rules on which the parallel sync of a leader rests (ADR 6).
const (
	Apply  Rule = "apply"  // nothing is applied before it is durable here
	Commit Rule = "commit" // no commit is told before it is durable here
	Answer Rule = "answer" // no peer is answered before all is durable here
	Reopen Rule = "reopen" // what is found at the start is made durable first
	Kind   Rule = "kind"   // only batches of requests are synced behind
	Seal   Rule = "seal"   // not the last one of a segment
	Sync   Rule = "sync"   // what is synced behind is synced
	Bound  Rule = "bound"  // the alarm is raised to what is durable
	Order  Rule = "order"  // an append waits for the sync of the one before
)

// Rules about the files.
const (
	VoteSync    Rule = "vote-sync"    // a vote is durable before it is given
	VoteWhole   Rule = "vote-whole"   // its term and its candidate are written as one
	EntrySum    Rule = "entry-sum"    // an entry that is read has its checksum
	SnapshotSum Rule = "snapshot-sum" // so has each chunk of a snapshot
	Rot         Rule = "rot"          // a torn append is told from damage
	FailStop    Rule = "fail-stop"    // nothing is written behind a write that failed
	Rebuilt     Rule = "rebuilt"      // the place of a damaged store is never left empty
	NameSync    Rule = "name-sync"    // the log is cut only when the snapshot's name is durable
)

// Rules about raft and about each request being applied once.
const (
	Heartbeat   Rule = "heartbeat"   // heartbeats go through raft's main loop
	OwnTail     Rule = "own-tail"    // no commit is told behind the entries of its message
	Stranger    Rule = "stranger"    // raft talks only to the incarnation that it means
	Incarnation Rule = "incarnation" // a server that comes back empty gets a new raft id
	Once        Rule = "once"        // a batch that was applied is not applied again
	Gap         Rule = "gap"         // a batch is not applied before those in front of it
	Replaced    Rule = "replaced"    // nor one of a process that was replaced
	Readable    Rule = "readable"    // a log that cannot be read ends the server, and no goroutine by a panic
	Vanished    Rule = "vanished"    // who was to join a cluster of which nothing is left begins again
	Founding    Rule = "founding"    // a founding that was cut short begins again
	Origins     Rule = "origins"     // a snapshot tells what was applied of each server
	Time        Rule = "time"        // the time of batches never goes back
	Files       Rule = "files"       // only what the files of most voters have is followed
	NewQuorum   Rule = "new-quorum"  // a reconfiguration is made when a majority of its voters votes
	Announce    Rule = "announce"    // a commit is on its way to the others before it is answered here
)

// Rules about how an ensemble begins.
const (
	FirstClients Rule = "first-clients" // the first clients wait for the votes of the servers that are there
	StandBack    Rule = "stand-back"    // a server with data of its own serves nobody while its list belongs to another cluster
	SecondVote   Rule = "second-vote"   // who forms an ensemble has no vote in the terms that others know of
	Enfranchise  Rule = "enfranchise"   // who replaces a voter has its vote at once where no larger majority follows
	UpToDate     Rule = "up-to-date"    // a voter that has not caught up yet counts for no change of the members
)

// Rules about lists of servers.
const (
	OwnLine Rule = "own-line" // the wildcard of a server's own line is no address for others
)

// Rules about sessions.
const (
	Timeout    Rule = "timeout"     // no session ends before its timeout
	Stall      Rule = "stall"       // the time of a stall is given back
	FreshClock Rule = "fresh-clock" // a new leader gives each session a full timeout
	Relay      Rule = "relay"       // a leader hears of the sessions of other servers
	Parted     Rule = "parted"      // also what a client said right before its connection ended
	Waiting    Rule = "waiting"     // a session that waits for the log is no silent one
	Slow       Rule = "slow"        // nor is one that takes a long reply
	Deposed    Rule = "deposed"     // nobody expires a session but who leads when it is applied
	Generation Rule = "generation"  // requests of a connection that was replaced are void
	Ended      Rule = "ended"       // requests of a session that has ended are void
	Elsewhere  Rule = "elsewhere"   // a session that goes on elsewhere loses its connection here
	Unknown    Rule = "unknown"     // a session is called expired only after a sync
	Orphans    Rule = "orphans"     // a tree that was loaded knows whose ephemerals it has
)

// Rules about what clients are told.
const (
	Gate        Rule = "gate"         // a server that is cut off answers nothing
	CatchUp     Rule = "catch-up"     // it lets clients in again after a sync
	Seen        Rule = "seen"         // a client is not shown less than it has seen
	Lost        Rule = "lost"         // nor does its session go on where what it has seen was lost
	SyncLog     Rule = "sync-log"     // a sync goes through the log
	Committed   Rule = "committed"    // no write is answered before it is applied
	OwnWrites   Rule = "own-writes"   // reads stand behind the session's own writes
	ParkedOrder Rule = "parked-order" // and their replies behind the replies to these
	Zxid        Rule = "zxid"         // a reply has the zxid of its state
	EventFirst  Rule = "event-first"  // no event comes after a reply that shows its change
	EachWatcher Rule = "each-watcher" // everybody who watches hears of a change
	CloseEvents Rule = "close-events" // also of what went with a session
	Recursive   Rule = "recursive"    // a recursive watch hears of all that is below it
	Missed      Rule = "missed"       // who comes back hears of what it has missed
	Install     Rule = "install"      // a snapshot from the leader ends all connections
)

// Rules about the tree.
const (
	LeaderClock Rule = "leader-clock" // all servers use the time that is in the log
	Subtree     Rule = "subtree"      // a snapshot has all znodes
	Undo        Rule = "undo"         // a multi that fails leaves nothing behind
	TTL         Rule = "ttl"          // a TTL znode has its time
)
