// Package suite is what the stock clients' suites under test/clients have in common: a server of their own, or an
// ensemble of three, zkd or a real ZooKeeper; a proxy that cuts connections; programs of other languages turned into
// subtests.
//
// Every client has a folder beside this one with a Go test package. What is not Go prints TAP ("ok 1 - name",
// "not ok 2 - name", "ok 3 - name # SKIP reason"), which Run turns into subtests, so one go test counts everything.
//
// The environment:
//
//	ZKD_BIN           the zkd to test instead of one built from the tree
//	CLIENTS_AGAINST   zkd (default), zookeeper-3.8 or zookeeper-3.9 (zookeeper is the newest): who is tested.
//	                  Against a ZooKeeper the scripts themselves are tested.
//	CLIENTS_REQUIRE   1 makes a client that is not installed a failure instead of a skip
//	CLIENTS_LONG      1 runs in full with three servers what otherwise runs in part, see kazoo and java
//
// Tests whose names end in Ensemble use three servers; "go test -run Ensemble ./test/clients/..." runs those alone.
package suite
