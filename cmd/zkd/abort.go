package main

import "runtime/debug"

// exitAborted is how the process ends by a panic, or without memory: by SIGABRT, which a shell shows as this.
const exitAborted = 134

// abortOnPanic keeps a panic apart from a bad configuration: Go's own exit code
// for it is 2, also where the memory has run out, and that is ZooKeeper's for
// what exitConfig is. The price is that the stacks of all goroutines are shown.
// The kernel lets no process 1 abort: of a container without an init the code
// stays 2.
func abortOnPanic() { debug.SetTraceback("crash") }
