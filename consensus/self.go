package consensus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
	"zkd/consensus/store"
)

// What this file has is about who this server is, and who the others are.

// listen opens the peer ports of this server's own line.
func (n *Node) listen() error {
	e := n.cfg.Ensemble
	i := slices.IndexFunc(e.Members, func(m peer.Member) bool { return m.ID == n.cfg.ServerID })
	if i < 0 {
		return fmt.Errorf("consensus: server.%d is not in the list of servers", n.cfg.ServerID)
	}
	raftAddrs, linkAddrs, remark := n.binding(&e.Members[i])
	secret := e.Secret
	if len(secret) == 0 {
		secret = nil
	}
	var err error
	n.net, err = peer.Listen(peer.Options{
		Self:     n.introduce,
		ServerID: n.cfg.ServerID, RaftAddrs: raftAddrs, LinkAddrs: linkAddrs,
		Secret: secret, DialTimeout: e.DialTimeout, TCPKeepAlive: e.TCPKeepAlive, Logger: n.log,
		Listen: e.Listen, Dial: e.Dial,
	})
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	first, second := n.net.Addrs()
	n.log.Info("listening for the other servers", "first", first, "second", second, "why", remark)
	n.net.SetMembers(e.Members)
	n.net.Handle(n)
	n.net.Serve()
	return nil
}

// introduce is what this server says of itself in a hello.
func (n *Node) introduce() peer.Identity {
	id := n.who()
	own := peer.Identity{Cluster: peer.Cluster(id.Cluster), RaftID: string(id.RaftID)}
	if own.RaftID == "" {
		own.RaftID = strconv.FormatUint(n.cfg.ServerID, 10)
	}
	return own
}

func (n *Node) who() identity {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.id
}

func (n *Node) raftID() raft.ServerID { return n.who().RaftID }

// become changes the identity, on disk first. Who does so cannot go on without
// it, or must not, so a disk that hangs there ends this server as one that fails.
func (n *Node) become(change func(*identity)) error {
	done := make(chan error, 1)
	go func() { done <- n.becomeInTime(change) }()
	select {
	case err := <-done:
		return err
	case <-time.After(becomeAtMost):
		return fmt.Errorf("consensus: write identity: no progress for %v: %w", becomeAtMost, store.ErrStalled)
	}
}

// becomeAtMost is how long the disk may take for an identity, as for the log.
const becomeAtMost = 10 * time.Second

func (n *Node) becomeInTime(change func(*identity)) error {
	n.becoming <- struct{}{}
	defer func() { <-n.becoming }()
	id := n.who()
	change(&id)
	if err := id.write(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.id = id
	return nil
}

// belongsTo notes the cluster that the replicated state names.
func (n *Node) belongsTo(cluster clusterID) {
	var err error
	switch own := n.who().Cluster; {
	case own == cluster:
		return
	case own.known():
		err = fmt.Errorf("consensus: the log is of cluster %s, the identity %s of %s; if zkd recover was cut short, run it again", cluster, n.id.path, own)
	default:
		err = n.become(func(id *identity) { id.Cluster = cluster })
	}
	if err != nil {
		n.fatal(err)
	}
}

// removed begins the reason of a server that lost its place in the ensemble, also
// as its identity keeps it.
const removed = "it was removed from the ensemble"

// setAside moves what the store has out of the way. The server is blank then
// but for its cluster.
func (n *Node) setAside(why error) error {
	moved, err := store.SetAside(n.cfg.Store.Disk, n.cfg.Store.Dir, n.cfg.Store.LogDir, why)
	if err != nil {
		return err
	}
	next := "joins the ensemble anew"
	if strings.HasPrefix(why.Error(), removed) {
		next = "waits to be taken in; stop it if that is final"
	}
	n.log.Warn("the state of this server was set aside; it "+next, "why", why, "kept", moved)
	return n.become(func(id *identity) { id.RaftID, id.Rejoin, id.Start, id.Sound, id.First = "", "", 0, 0, 0 })
}

// begin numbers this process and makes its first request, which is applied
// behind all that was committed before. So it learns whether the directory is
// the one that this server had at its last start. An old copy of it has
// forgotten entries and votes that the server has given its word for: the
// server must join anew then.
func (n *Node) begin(ctx context.Context) error {
	if n.stream.incarnation.Load() != 0 {
		return n.Sync(ctx)
	}
	id, err := n.number()
	if err != nil {
		return err
	}
	if err := n.Sync(ctx); err != nil {
		return err
	}
	if id.Sound > 0 && n.cfg.Ensemble != nil && n.fsm.metStart(id.Sound, id.First) {
		err := n.oldCopy()
		n.fatal(err)
		return err
	}
	return n.become(func(own *identity) { own.Sound, own.First = 0, 0 })
}

// number gives this process its number, on disk first, and returns what the
// directory tells of the last start that was found sound.
func (n *Node) number() (identity, error) {
	id := n.who()
	// What a process has sent that was killed at its start may yet be committed:
	// also where the clock has been set back since, this one comes after it.
	next := max(n.fsm.incarnation(n.cfg.ServerID), id.Start+1)
	// Such a process has not found out, and what it has put on file says nothing.
	if id.First == 0 {
		id.Sound, id.First = id.Start, next
	}
	if err := n.become(func(own *identity) { own.Start, own.Sound, own.First = next, id.Sound, id.First }); err != nil {
		return identity{}, err
	}
	n.stream.begin(next)
	return id, nil
}

// superseded is the error to end this server with when a start later than its
// own counts. Its own comes after all that the directory knows of; if it knows
// of none, the clock went back behind a process that ended.
func (n *Node) superseded() error {
	if n.who().Sound > 0 {
		return n.oldCopy()
	}
	return fmt.Errorf("consensus: %w: a later start of this server is on record", errIncarnation)
}

func (n *Node) oldCopy() error {
	return n.Distrust(fmt.Errorf("consensus: %s is an old copy: this server has started again since it was made", n.cfg.Store.Dir))
}

// rejoin ends this server, which must not rely on its own state any more.
func (n *Node) rejoin(why string) { n.fatal(n.Distrust(errors.New(why))) }

// Distrust makes sure that the state of this server is not used again, if there
// are others to copy it from. It returns the error to end this server with:
// ErrRejoin then, otherwise the one given.
func (n *Node) Distrust(why error) error {
	if n.cfg.Ensemble == nil || !n.who().Cluster.known() && !n.newcomer.Load() {
		return why
	}
	if err := n.become(func(id *identity) { id.Rejoin = why.Error() }); err != nil {
		return errors.Join(why, err)
	}
	return fmt.Errorf("%w: %w", ErrRejoin, why)
}

// membersChanged takes the list of the replicated state.
func (n *Node) membersChanged(m *Membership) {
	if n.net == nil || m == nil {
		return
	}
	n.meet(m.Current, m.Wanted)
}

// meet learns where members are to be reached. Those of zoo.cfg that nobody
// else mentions stay known: they may be the only way back.
func (n *Node) meet(lists ...[]peer.Member) {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := slices.Clone(n.cfg.Ensemble.Members)
	for _, list := range lists {
		for _, m := range list {
			if i := slices.IndexFunc(all, func(x peer.Member) bool { return x.ID == m.ID }); i >= 0 {
				all[i] = m
			} else {
				all = append(all, m)
			}
		}
	}
	n.listOf = all
	n.net.SetMembers(all)
}

// known returns the servers that this one can reach.
func (n *Node) known() []peer.Member {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listOf != nil {
		return n.listOf
	}
	return n.cfg.Ensemble.Members
}

// configuration returns raft's members, none before raft was started. It is a
// copy: what raft returns is its own.
func (n *Node) configuration() raft.Configuration {
	if r := n.raft.Load(); r != nil {
		conf := r.GetConfiguration().Configuration()
		return conf.Clone()
	}
	return raft.Configuration{}
}

// listed tells whether raft has somebody as a member.
func (n *Node) listed(id raft.ServerID) bool {
	return slices.ContainsFunc(n.configuration().Servers, func(s raft.Server) bool { return s.ID == id })
}
