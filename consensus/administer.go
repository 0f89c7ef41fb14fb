package consensus

import (
	"context"
	"errors"
	"time"

	"zkd/consensus/peer"
)

// AskMembers has the server with that second port answer a request about the
// members; see Ensemble.Administer. It is for a process that is no server
// itself.
func AskMembers(ctx context.Context, addr string, secret, request []byte) (answer []byte, err error) {
	answer, _, err = peer.AskOutside(ctx, addr, secret, queryMembers, request)
	return answer, err
}

func (n *Node) administer(request []byte) ([]byte, error) {
	e := n.cfg.Ensemble
	if e == nil || e.Administer == nil {
		return nil, errors.New("unknown query")
	}
	return e.Administer(request)
}

// Files asks every server that is known of for its Ensemble.File, and returns
// those that it has got, this server's included, by server id.
func (n *Node) Files(ctx context.Context) map[uint64]string {
	files := map[uint64]string{}
	for server, a := range n.probeAll(ctx, n.pace().brief()) {
		if a.File != "" && a.Cluster == n.who().Cluster {
			files[server] = a.File
		}
	}
	if own := n.cfg.Ensemble.File; own != "" {
		files[n.cfg.ServerID] = own
	}
	return files
}

// Asking returns the ids of the servers that wait to be taken in. Only a leader
// knows of any.
func (n *Node) Asking() (servers []uint64) {
	for server := range n.applicants.current(time.Now()) {
		servers = append(servers, server)
	}
	return servers
}
