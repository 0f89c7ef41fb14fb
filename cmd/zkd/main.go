// Command zkd is a ZooKeeper-compatible coordination server.
package main

import (
	"errors"
	"fmt"
	"os"

	"zkd/conf"
)

// Exit codes; those from 2 on are ZooKeeper's (org.apache.zookeeper.server.ExitCode).
const (
	exitError  = 1  // anything not below
	exitConfig = 2  // bad arguments or configuration
	exitData   = 3  // the data directory cannot be used
	exitPeers  = 14 // a port for the other servers cannot be listened on
)

func main() {
	abortOnPanic()
	os.Exit(run(os.Args[1:]))
}

// run executes the command line and turns its error into an exit code.
func run(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return 0
	}
	var bad *conf.Error
	var coded *exitCode
	if !errors.As(err, &coded) || coded.err != nil {
		fmt.Fprintln(os.Stderr, "zkd:", err)
	}
	switch {
	case errors.As(err, &bad):
		return bad.ExitCode()
	case errors.As(err, &coded):
		return coded.code
	}
	return exitError
}

// exitCode is an error that ends the process with a code of its own.
type exitCode struct {
	code int
	err  error // nil if all has been said
}

func (e *exitCode) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}
func (e *exitCode) Unwrap() error { return e.err }
