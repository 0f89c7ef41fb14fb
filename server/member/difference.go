package member

import (
	"fmt"
	"strings"

	"zkd/conf"
)

// Differences lists what differs between zoo.cfg and the agreed list, by
// server and field.
func Differences(file, agreed []conf.Server) (list []string) {
	for _, a := range agreed {
		f := List(file).Find(a.ID)
		if f == nil {
			list = append(list, fmt.Sprintf("server.%d=%s is not in zoo.cfg", a.ID, a))
			continue
		}
		for _, field := range []struct{ name, file, agreed string }{
			{"address", addresses(f), addresses(&a)},
			{"role", f.Role(), a.Role()},
			{"client address", shownAddr(f.Client), shownAddr(a.Client)},
			{"secure client address", shownAddr(f.Secure), shownAddr(a.Secure)},
		} {
			if field.file != field.agreed {
				list = append(list, fmt.Sprintf("server.%d: %s is %s in zoo.cfg, agreed is %s", a.ID, field.name, field.file, field.agreed))
			}
		}
	}
	for _, f := range file {
		if List(agreed).Find(f.ID) == nil {
			list = append(list, fmt.Sprintf("server.%d=%s is no member", f.ID, f))
		}
	}
	return list
}

func addresses(s *conf.Server) string {
	bare := *s
	bare.Client, bare.Secure = conf.HostPort{}, conf.HostPort{}
	return strings.TrimSuffix(bare.String(), ":"+bare.Role())
}

func shownAddr(a conf.HostPort) string {
	if !a.IsSet() {
		return "not given"
	}
	return a.String()
}
