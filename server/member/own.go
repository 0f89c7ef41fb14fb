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

// nowhere tells whether the list has an address that leads to no machine.
func (l List) nowhere() bool { return slices.ContainsFunc(l, wildcard) }
