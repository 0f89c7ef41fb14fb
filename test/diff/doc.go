// Package diff holds the differential random test: scripts made at random run on zkd and on a real ZooKeeper side by
// side, and their whole transcripts are compared. It finds what nobody thought of writing into the corpus of
// test/compat.
//
// A script (test/script says what one looks like) follows from a seed and its number. One step is one request, or one
// batch of pipelined requests, of one session; after it come the events of all sessions, behind the answer to a ping,
// so the outcome does not hang on time. What remains open in ZooKeeper itself, and what zkd does otherwise on purpose,
// is listed in rules_test.go: scripts that would run into it are not made, or the difference is evened out.
//
// A script whose transcripts differ is cut down to what is needed for the difference and printed as a case of
// test/compat, ready to be put into the corpus.
//
//	go test ./test/diff                                        a few thousand requests, a fresh seed
//	go test ./test/diff -run Long -diff.requests 200000        as long as one likes; also -diff.for 10m
//	go test ./test/diff -diff.seed 7 -diff.only 123            one script again
//	go test ./test/diff -diff.zk 3.8,3.9                       other releases
//
// Each flag has an environment variable: DIFF_SEED, DIFF_REQUESTS, DIFF_FOR, DIFF_ZK, DIFF_ONLY.
package diff
