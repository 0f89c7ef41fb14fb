// Package soak runs an ensemble of real processes for minutes or hours while faults come at random, looks at it from
// outside, and says in the end, on one page, whether all that was promised was kept.
//
//	make soak SOAK=1h
//
// A run is made of rounds. In a round faults come and overlap: servers are killed, stopped, cut off by direction, put
// on narrow links, lose their disks or find them full or damaged. Then all is made whole; each server has to serve and
// each client to write; while the clients rest the servers are compared, and what clients were told until then is judged
// by what the servers have committed (package oracle), which they tell over pipes: they are built with the tag witness.
// What the faults of a round are follows from the seed and the number of the round; when exactly a server is hit
// by one does not.
//
// The page (index.html, nothing else is needed to look at it) is written after each round and in the end: verdicts,
// figures, and throughput, latency, leaders, faults, memory, goroutines, descriptors and disk over time. A signal ends
// the round that is under way; it is examined all the same.
package soak
