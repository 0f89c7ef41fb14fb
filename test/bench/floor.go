package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"

	"zkd/test/bench/floor"
)

// floorName is a server that answers every request at once with a fixed reply: no server of ours can be
// cheaper, so what zkd costs is read against it.
const floorName = "floor"

// floorKind runs this program again, as a process of its own whose time can be told from the generator's.
func floorKind(size int) (*kind, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	return &kind{
		name:      floorName,
		stateless: true,
		argv:      func(s *server) []string { return []string{self, floorName, s.addr, strconv.Itoa(size)} },
	}, nil
}

// serveFloor is the process that floorKind starts.
func serveFloor(addr, size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return fmt.Errorf("floor: size of data: %w", err)
	}
	s, err := floor.Listen(addr, payload(n))
	if err != nil {
		return err
	}
	debug.SetGCPercent(-1) // it makes no garbage worth a look
	return s.Serve()
}
