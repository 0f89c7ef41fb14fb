// Package slow tests clients that take longer than their session's timeout for what they have asked for, or for what they
// send: whose links are slow. They keep their sessions as long as they get on. A client that takes nothing does not.
//
// ENSEMBLE_AGAINST=zookeeper-3.9 asks a real ZooKeeper the same. With -long the sizes and timeouts are those of real
// clients; `make ensemble-long` sets it.
package slow
