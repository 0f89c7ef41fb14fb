package znode

import "zkd/proto/jute"

// ConfigPath is the znode that shows the members of the ensemble.
const ConfigPath = configPath

// SetConfig puts the members of the ensemble into their znode, whoever may
// write it. As in ZooKeeper its version is -1 from then on, and mzxid says
// which configuration it is (ZKDatabase.initConfigInZKDatabase).
func (t *Tree) SetConfig(data []byte) jute.Stat {
	id := t.lookup(configPath)
	t.setData(id, data, -1)
	n := t.get(id)
	t.changed(jute.EventNodeDataChanged, configPath, n.acl, 0)
	return t.stat(n)
}

// MayWriteConfig tells whether the transaction's actor may change the members.
func (t *Tree) MayWriteConfig() bool {
	return t.allowed(t.get(t.lookup(configPath)).acl, jute.PermWrite, &t.tx.Actor)
}
