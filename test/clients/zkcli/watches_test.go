package zkcli

import "testing"

// watches are the ones that reads leave: they fire once.
func watches(t *testing.T, c *cli, s *session) {
	s.want("create /w", "Created /w")
	s.want("get -w /w", "null")
	s.fires("set /w 1", "NodeDataChanged", "/w")
	s.want("ls -w /w", "[]")
	s.silent("set /w 2", "create /w/x", "NodeChildrenChanged", "/w")
	s.do("stat -w /w/x")
	s.fires("delete /w/x", "NodeDeleted", "/w/x")
	s.do("config -w") // nothing changes there; it must only be taken

	s.do("get -w /w")
	s.want("removewatches /w")
	s.want("get -w /c", "null")
	s.silent("set /w 3", "set /c 1", "NodeDataChanged", "/c")
	s.want("removewatches /w", "KeeperErrorCode = No such watcher for /w")
	s.do("ls -w /w")
	s.want("removewatches /w -d", "KeeperErrorCode = No such watcher for /w")
	s.want("removewatches /w -c")

	s.want("printwatches", "printwatches is on")
	s.want("printwatches off")
	s.want("printwatches", "printwatches is off")
	s.want("printwatches on")
}

// addWatch's watches stay, and those of the default mode see the whole subtree.
func addWatch(t *testing.T, c *cli, s *session) {
	s.want("addWatch /rec")
	s.fires("create /rec", "NodeCreated", "/rec")
	s.fires("create /rec/x", "NodeCreated", "/rec/x")
	s.fires("set /rec/x 1", "NodeDataChanged", "/rec/x")
	s.fires("set /rec/x 2", "NodeDataChanged", "/rec/x")
	s.fires("delete /rec/x", "NodeDeleted", "/rec/x")

	s.want("addWatch -m PERSISTENT /per")
	s.fires("create /per", "NodeCreated", "/per")
	s.fires("create /per/x", "NodeChildrenChanged", "/per")
	s.silent("set /per/x 1", "set /per 1", "NodeDataChanged", "/per")
	s.match("addWatch -m SOMETIMES /per", `addWatch \[-m mode\] path .*`)

	s.want("removewatches /rec")
	s.silent("set /rec 1", "set /per 2", "NodeDataChanged", "/per")
	s.want("removewatches /per")
}
