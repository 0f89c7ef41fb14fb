package consensus

import (
	"fmt"

	"github.com/hashicorp/raft"

	"zkd/consensus/store"
	"zkd/internal/mutant"
)

// What founds a cluster is its first entry, which names the members; before it
// comes the term that the entry is of. A server that was killed in between has
// that term and nothing else, and founds again: nobody can have been told
// anything that an empty log does not have.

// foundingTerm is the term of the first entry. The first election comes after it.
const foundingTerm = 1

// begun tells whether the store has a past. One that has only a term has none,
// but for a server that has belonged to a cluster, whose state was set aside. A
// newcomer has no cluster before it has something of the log.
func (n *Node) begun() (bool, error) {
	last, err := n.store.Log().LastIndex()
	if err != nil {
		return false, fmt.Errorf("consensus: look for a log: %w", err)
	}
	snaps, err := n.store.Snapshots().List()
	if err != nil {
		return false, fmt.Errorf("consensus: look for snapshots: %w", err)
	}
	if last > 0 || len(snaps) > 0 {
		return true, nil
	}
	term, err := n.store.Stable().GetUint64([]byte("CurrentTerm"))
	if err != nil {
		return false, fmt.Errorf("consensus: look for a term: %w", err)
	}
	if n.cfg.Ensemble == nil && term > foundingTerm {
		// It has led since it was founded.
		return false, fmt.Errorf("consensus: %w: the log in %s is empty, but was in term %d", store.ErrCorrupt, n.cfg.Store.Dir, term)
	}
	return term > 0 && (n.id.Cluster.known() || mutant.Is(mutant.Founding)), nil
}

// founding is how a cluster begins.
type founding struct {
	members raft.Configuration
	past    uint64 // this server has no vote in this term and those before
}

// found writes the first entry of a cluster, the same on all servers that found
// it, into a log that is empty.
func (n *Node) found(f *founding) error {
	stable := n.store.Stable()
	least := uint64(foundingTerm)
	if f.past > 0 && !mutant.Is(mutant.SecondVote) {
		least = f.past + 1
	}
	term, err := stable.GetUint64([]byte("CurrentTerm"))
	if err == nil && term < least {
		err = stable.SetUint64([]byte("CurrentTerm"), least)
	}
	if err == nil {
		err = n.store.Log().StoreLog(&raft.Log{
			Index: 1, Term: foundingTerm, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(f.members),
		})
	}
	if err != nil {
		return fmt.Errorf("consensus: found a cluster: %w", err)
	}
	return nil
}
