package compat

import "zkd/test/script"

// A Case is one row of the corpus.
type Case struct {
	ID     string // as in the specification's checklists (S51, P67), or a name of ours
	Name   string // what is shown, as a sentence
	Script string

	Since    string // the first release that behaves so; older real servers skip the case
	Server   string // the variant it needs (variants_test.go); "" is the shared one
	Alone    bool   // runs while nobody else uses the server: the zxids of reads are compared too
	AnyOrder bool   // the order among events of one step is free

	// Either names two ways a transcript line may end; the second counts as the first. It is for races inside
	// ZooKeeper, and for bytes behind an error that no client looks at.
	Either [2]string

	Differs *Difference // zkd does otherwise, on purpose
}

// options say how the case's script runs. A server that is to be empty gets no root.
func (c *Case) options() script.Options {
	return script.Options{Root: script.NewRoot(), NoRoot: c.Server == "empty", Alone: c.Alone, AnyOrder: c.AnyOrder}
}

// asksReal reports whether real servers run the case.
func (c *Case) asksReal() bool { return c.Differs == nil || c.Differs.NoReal == "" }

// A Difference is a deliberate deviation of zkd from ZooKeeper 3.9.
type Difference struct {
	Reason string // the user's benefit
	Want   string // zkd's transcript
	NoReal string // why a real server is not asked
}

// An Area is a group of cases with a golden file of its own.
type Area struct {
	Name  string
	Cases []Case
}

// Deliberate lists every case in which zkd differs on purpose. docs/compatibility.md has to name each of them.
func Deliberate() []Case {
	var v []Case
	for _, a := range areas {
		for _, c := range a.Cases {
			if c.Differs != nil {
				v = append(v, c)
			}
		}
	}
	return v
}
