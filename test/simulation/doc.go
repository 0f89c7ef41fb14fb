// Package simulation runs whole ensembles of zkd, with their clients, in one process and in virtual time
// (testing/synctest): the servers are those of package server, on a network and on disks that live in this process and
// do what a seed says. Hours pass in seconds, and what is rare elsewhere is ordinary here.
//
// A run is a seed: it draws the ensemble, its settings, the load and the faults. What was committed and what the
// clients were told go to package oracle in the end. Scenarios are runs with a plot, one or more for each row of the
// fault catalogue.
//
//	go test ./test/simulation -sim.seeds 500      // that many seeds from a random one on
//	go test ./test/simulation -sim.seed 4711      // that one
//	go test ./test/simulation -sim.scenario name  // that scenario, with -sim.seeds seeds
//
// What a seed promises: the same ensemble, the same settings and the same faults at the same instants, and clients that
// begin alike. The order in which goroutines run at one instant is the scheduler's, and raft draws its timeouts by
// itself; so who leads, and what clients meet, differs, and a failure that hangs on it may take a few runs of its seed
// to come back (-count).
package simulation
