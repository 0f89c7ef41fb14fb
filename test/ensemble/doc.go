// Package ensemble runs whole ensembles as real processes and sees what their clients see while servers are killed,
// stopped, cut off, replaced and damaged. The harness is in the package itself, for other suites to use; the
// scenarios are its tests.
//
// What it starts are zkd servers, or those of a real ZooKeeper for comparison: ENSEMBLE_AGAINST=zookeeper-3.8 (any
// release line that test/realzk finds). Scenarios of what only zkd does are skipped there. The long variants run with
// the flag -long; `make ensemble-long` sets it.
//
// ENSEMBLE_KEEP=1 keeps all folders and logs, and says where.
//
// Every server has a loopback address of its own (127.a.b.n), so that no client's outgoing port is ever in the way of a
// server that comes back. Scenarios of bad links put every server into a network namespace of its own, whose packets go
// through this process (Network, Rule); these need root and /dev/net/tun, and are skipped otherwise. A namespace has
// no name, only descriptors in this process: whatever happens, it vanishes with the test, and so do the servers.
package ensemble
