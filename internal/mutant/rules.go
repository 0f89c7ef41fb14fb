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
