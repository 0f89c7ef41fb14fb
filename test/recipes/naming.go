package recipes

import (
	"github.com/go-zookeeper/zk"
)

// Claim gives a name to one client for good; zk.ErrNodeExists says that it is taken.
func Claim(conn *zk.Conn, path string, data []byte) error {
	_, err := conn.Create(path, data, 0, openACL)
	return err
}

// Unique makes up a name that nobody has had under the same parent: the prefix and a number that rises.
func Unique(conn *zk.Conn, prefix string, data []byte) (string, error) {
	return conn.Create(prefix, data, zk.FlagSequence, openACL)
}

// Rename moves a name in one step: at no time do both exist, or none. It fails if the old one's data changed meanwhile.
func Rename(conn *zk.Conn, from, to string) error {
	data, stat, err := conn.Get(from)
	if err != nil {
		return err
	}
	_, err = conn.Multi(
		&zk.DeleteRequest{Path: from, Version: stat.Version},
		&zk.CreateRequest{Path: to, Data: data, Acl: openACL},
	)
	return err
}
