// Package operations runs docs/operations.md: its blocks of commands and files, word by word, on machines that are
// folders here. What the page tells people to do works, or these tests fail.
//
// A block is found by the label behind its language in the page. Machine N has the address 127.a.b.N with the usual
// ports; its /etc/zkd and /var/lib/zkd are folders of its own. zkCli.sh is a small stand-in (zkcli_test.go); a real one is
// used if ZKCLI names it.
package operations
