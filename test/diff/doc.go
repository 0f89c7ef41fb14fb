// Package diff holds the differential random test: scripts made at random run on zkd and on a real ZooKeeper side by
// side, and their whole transcripts are compared. It finds what nobody thought of writing into the corpus of
// test/compat.
//
// A script (test/script says what one looks like) follows from a seed and its number. One step is one request, or one
// batch of pipelined requests, of one session; after it come the events of all sessions, behind the answer to a ping,
// so the outcome does not hang on time. What remains open in ZooKeeper itself, and what zkd does otherwise on purpose,
// is listed in rules_test.go: scripts that would run into it are not made, or the difference is evened out.
//
// Each side is one server or an ensemble of three, which a shape says: 3:1 is three zkds beside one ZooKeeper. Over
// three servers the sessions of a script are spread and move about, and after each step that may have changed something
// every server is brought up to date, so that it is not open what the next step sees. In some scripts servers are
// killed or terminated between two steps and start again on their data: one of them, the leader, all at once, or one
// after the other, of zkd alone or of ZooKeeper as well. Sessions then go on by reconnecting and setting their watches
// anew, while those that were connected to another server stay; znodes, Stats, ACLs, sequence numbers, ephemerals and
// watches have to be what they were. When a round of scripts is over, the digests of zkd's servers are compared with each other.
//
// A script whose transcripts differ is cut down to what is needed for the difference and printed as a case of
// test/compat, ready to be put into the corpus, with the flags that make it again.
//
//	go test ./test/diff                                        a few thousand requests, a fresh seed
//	go test ./test/diff -run Long -diff.requests 200000        as long as one likes; also -diff.for 10m
//	go test ./test/diff -run Long -diff.for 1h -diff.shape 3:1,3:3 -diff.outages 20
//	go test ./test/diff -run Random -diff.seed 7 -diff.only 123 -diff.shape 3:1 -diff.outages 5      one script again
//	go test ./test/diff -diff.zk 3.8,3.9                       other releases
//	go test ./test/diff -run Long -diff.for 1h -diff.keep 5    goes on until it has found five differences
//
// Each flag has an environment variable: DIFF_SEED, DIFF_REQUESTS, DIFF_FOR, DIFF_ZK, DIFF_ONLY, DIFF_SHAPE,
// DIFF_OUTAGES, DIFF_KEEP. At the end stand the figures: requests, scripts, restarts, ensembles.
package diff
