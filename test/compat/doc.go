// Package compat holds the proof that zkd speaks ZooKeeper's protocol as ZooKeeper does: a corpus of small scripts
// that run over raw connections against zkd and against real ZooKeepers, and whose whole transcripts are compared.
//
// A case is a row in one of the cases_*_test.go tables: an id (that of the specification's checklist where it has
// one), a sentence, and a script. A script line is a session name, a verb and its arguments:
//
//	c create ~/a "x"        sessions connect when they are first named; ~ is a path of the case's own
//	w get ~/a watch         after every step the events of all watching sessions are collected
//	c & set ~/a "y"         & holds a request back until flush sends all of them in one segment
//
// Package script runs them, and lists the verbs. The transcript repeats each line and shows below it what every session received:
// error names, zxids, Stats field by field, data, children, events in their order relative to replies, closed
// connections. What differs from run to run is replaced by names: zxids become z1, z2, … by rank within the case,
// session ids the name of the session; times are checked to belong to their zxid and not shown.
//
// The expected transcripts are in testdata, written by a real ZooKeeper 3.9:
//
//	go test ./test/compat                      zkd, and each real ZooKeeper found, against testdata
//	go test ./test/compat -run Corpus/zkd/S51  one case
//	go test ./test/compat -update              take testdata anew from ZooKeeper 3.9
//
// Environment: ZKD_BIN names zkd's binary (else it is built), ZK_REAL=off leaves the real ones out, ZK_ADDR names
// one that is running already, ZKD=off leaves zkd out.
package compat
