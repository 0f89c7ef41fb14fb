package member

import (
	"slices"

	"zkd/conf"
)

// AsFiled returns a list with this server's own addresses as its zoo.cfg has
// them, if those say where to listen alone: files of its own are for its next
// start.
func AsFiled(cfg *conf.Config, servers List) List {
	self, agreed := cfg.Self(), servers.Find(cfg.ServerID)
	if cfg.Unplaced == "" || self == nil || agreed == nil {
		return servers
	}
	own := *agreed
	own.Addrs = slices.Clone(self.Addrs)
	return servers.With(own)
}

// nowhere tells whether the list has a voter with an address that leads to no
// machine. An observer that nobody reaches holds up nothing, and clients that add
// one so, which ZooKeeper takes, get it.
func (l List) nowhere() bool {
	return slices.ContainsFunc(l, func(s conf.Server) bool { return !s.Observer && wildcard(s) })
}
