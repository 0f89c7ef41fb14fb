package ensemble

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"zkd/test/wire"
)

// SuperPassword is what the super user of a Reconfigurable ensemble says, by the scheme digest.
const SuperPassword = "super:secret"

// Reconfigurable is what an ensemble needs for Admin.
func Reconfigurable(o Options) Options {
	sum := sha1.Sum([]byte(SuperPassword))
	props := map[string]string{
		"zookeeper.DigestAuthenticationProvider.superDigest": "super:" + base64.StdEncoding.EncodeToString(sum[:]),
	}
	for k, v := range o.Props {
		props[k] = v
	}
	o.Props = props
	o.Config = append(slices.Clone(o.Config), "reconfigEnabled=true")
	return o
}

// Admin changes who belongs to an ensemble, as the super user.
type Admin struct {
	*Session
	t testing.TB
}

// OpenAdmin starts a session as the super user.
func OpenAdmin(t testing.TB, servers ...*Server) *Admin {
	t.Helper()
	return &Admin{Open(t, 30*time.Second, servers...), t}
}

// Reconfig adds and removes servers by id, waiting for newcomers that have not been heard of yet and for a
// reconfiguration that is under way. It returns when the change is made.
func (a *Admin) Reconfig(joining []*Server, leaving []int) {
	a.t.Helper()
	var join, leave []string
	for _, s := range joining {
		join = append(join, s.Line())
	}
	for _, id := range leaving {
		leave = append(leave, fmt.Sprint(id))
	}
	body := wire.Reconfig{Joining: wire.Null, Leaving: wire.Null, Members: wire.Null, ConfigID: -1}
	if len(join) > 0 {
		body.Joining = strings.Join(join, ",")
	}
	if len(leave) > 0 {
		body.Leaving = strings.Join(leave, ",")
	}
	for end := time.Now().Add(Patience); ; time.Sleep(50 * time.Millisecond) {
		r, err := a.Try(body)
		if err == nil && r.Err == 0 || errors.Is(err, ErrLost) && a.made(joining, leaving) {
			return
		}
		retry := errors.Is(err, ErrLost) || err == nil && (r.Err == wire.CodeNewConfigNoQuorum || r.Err == wire.CodeReconfigInProgress)
		if !retry || time.Now().After(end) {
			a.t.Fatalf("reconfig %+v: %+v, %v", body, r, err)
		}
	}
}

// Try sends a reconfig as the super user, once.
func (a *Admin) Try(body wire.Reconfig) (*wire.Reply, error) {
	// On every connection anew.
	_, err := a.Call(wire.OpAuth, wire.Auth{Scheme: "digest", Data: []byte(SuperPassword)})
	if err != nil {
		return nil, err
	}
	return a.Call(wire.OpReconfig, body)
}

func (a *Admin) made(joining []*Server, leaving []int) bool {
	a.Sync()
	data, _ := a.Get(configNode)
	ids := memberIDs(data)
	for _, s := range joining {
		if !slices.Contains(ids, fmt.Sprint(s.ID)) {
			return false
		}
	}
	for _, id := range leaving {
		if slices.Contains(ids, fmt.Sprint(id)) {
			return false
		}
	}
	return true
}

var memberLine = regexp.MustCompile(`(?m)^server\.(\d+)=`)

func memberIDs(config []byte) (ids []string) {
	for _, m := range memberLine.FindAllSubmatch(config, -1) {
		ids = append(ids, string(m[1]))
	}
	slices.Sort(ids)
	return ids
}

// AwaitMembers waits until each of the servers shows the same members in the configuration znode.
func (e *Ensemble) AwaitMembers(servers ...*Server) {
	e.t.Helper()
	var want []string
	for _, s := range servers {
		want = append(want, fmt.Sprint(s.ID))
	}
	slices.Sort(want)
	for _, s := range servers {
		c := Open(e.t, 10*time.Second, s)
		var data []byte
		e.Await(fmt.Sprintf("%v shows members %v", s, want), func() bool {
			c.Sync()
			data, _ = c.Get(configNode)
			return slices.Equal(memberIDs(data), want)
		})
		c.Close()
	}
}
