//go:build !witness

package main

import "zkd/server"

// world is the real machine.
func world() (server.World, error) { return server.World{}, nil }
