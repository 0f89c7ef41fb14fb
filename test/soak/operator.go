package soak

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zkd/test/ensemble"
	"zkd/test/oracle/recorded"
	"zkd/test/wire"
)

// operator is the client that changes who belongs to the ensemble, as the super user. What it is told is judged as
// that of all clients.
type operator struct {
	r      *run
	client *recorded.Client
}

func newOperator(f *fleet) *operator {
	return &operator{f.r, f.newClient("operator", 0, 30*time.Second, 0, f.addresses())}
}

const configNode = "/zookeeper/config"

// leave takes a server out of the ensemble, join takes it in again. The server need not run to leave.
func (o *operator) leave(s *ensemble.Server) {
	o.reconfig(s, false, wire.Reconfig{Joining: wire.Null, Leaving: fmt.Sprint(s.ID), Members: wire.Null, ConfigID: -1})
}

func (o *operator) join(s *ensemble.Server) {
	o.reconfig(s, true, wire.Reconfig{Joining: s.Line(), Leaving: wire.Null, Members: wire.Null, ConfigID: -1})
}

// reconfig asks until it is so. A reply that never came, another change under way and a newcomer that nobody has heard
// of yet are no reasons to give up.
func (o *operator) reconfig(s *ensemble.Server, member bool, body wire.Reconfig) {
	ctx, cancel := context.WithTimeout(context.Background(), ensemble.Patience)
	defer cancel()
	for {
		var reply *wire.Reply
		// Who one is, is forgotten with the connection.
		_, err := o.client.Do(ctx, wire.OpAuth, wire.Auth{Scheme: "digest", Data: []byte(ensemble.SuperPassword)})
		if err == nil {
			reply, err = o.client.Do(ctx, wire.OpReconfig, body)
		}
		if err == nil && reply.Err == 0 {
			return
		}
		if is, known := o.member(ctx, s); known && is == member {
			return
		}
		if errors.Is(err, recorded.ErrOver) {
			o.client.Abandon()
			o.client = newOperator(o.r.fleet).client
		}
		select {
		case <-ctx.Done():
			o.r.Fatalf("member %t: %v: %+v, %v", member, s, reply, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// member tells whether a server is in the list of members, and whether that is known.
func (o *operator) member(ctx context.Context, s *ensemble.Server) (is, known bool) {
	if _, err := o.client.Do(ctx, wire.OpSync, wire.Path(configNode)); err != nil {
		return false, false
	}
	reply, err := o.client.Do(ctx, wire.OpGetData, wire.PathWatch{Path: configNode})
	if err != nil || reply.Err != 0 {
		return false, false
	}
	return strings.Contains(string(reply.Data), fmt.Sprintf("server.%d=", s.ID)), true
}

// end closes the session.
func (o *operator) end() {
	ctx, cancel := context.WithTimeout(context.Background(), ensemble.Patience)
	defer cancel()
	if err := o.client.Close(ctx); err != nil {
		o.r.Errorf("the operator cannot close its session: %v", err)
	}
}
