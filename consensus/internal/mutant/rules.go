// Package mutant names the rules that a build with the tag "mutant" leaves out,
// one at a time, so that the power failure tests can show that they notice. In
// all other builds Is is constant, and nothing of this is left.
package mutant

// Rule is one of those on which the parallel sync of a leader rests (ADR 6).
type Rule string

// Rules; each comment says what a server does that keeps it.
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
