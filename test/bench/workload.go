package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// workload prepares znodes and makes the requests of each session.
type workload struct {
	name    string
	prepare func(c *client, w workloadParams) error
	// sources returns what makes the source of each session; prepared frames are shared by all.
	sources func(w workloadParams) func(session int) source
	// durable: every request is to be on disk before its reply, so the disk may be what bounds it.
	durable bool
}

// workloadParams is what shapes the requests of a workload.
type workloadParams struct {
	Sessions int
	Keys     int // znodes that get, set and their like choose from
	MultiOps int // setData in a multi
	// Run differs for each run against one server, so that what creates leave behind does not collide.
	Run  int
	data []byte
}

var workloads = []workload{
	{"get", prepareKeys, newGet, false},             // getData of a random znode
	{"exists", prepareKeys, newExists, false},       // exists of a random znode
	{"children", prepareFamily, newChildren, false}, // getChildren of a znode with 10 children
	{"set", prepareKeys, newSet, true},              // setData of a random znode
	mixed(90),
	mixed(50),
	{"multi", prepareKeys, newMulti, false},                  // a multi of -multi setData
	{"ephemeral", prepareParents, newEphemeral, false},       // create an ephemeral sequential znode, delete it when its name is known
	{"create-delete", prepareParents, newCreateDelete, true}, // create a znode, delete it
	{"keeper", prepareKeeper, newKeeper, false},              // what a database asks of its coordinator, see keeper.go
	{"create", prepareParents, newCreate, true},              // create a znode (the tree grows)
}

// mixed is getData and setData of random znodes in the given proportion, named as in mixed-90.
func mixed(readPercent int) workload {
	return workload{
		name:    fmt.Sprintf("%s%d", mixedPrefix, readPercent),
		prepare: prepareKeys, sources: func(w workloadParams) func(int) source { return newMixed(w, readPercent) },
	}
}

const mixedPrefix = "mixed-"

// findWorkload knows the workloads by name, and mixed ones of any percentage.
func findWorkload(name string) (workload, error) {
	if percent, ok := strings.CutPrefix(name, mixedPrefix); ok {
		if n, err := strconv.Atoi(percent); err == nil && n >= 0 && n <= 100 {
			return mixed(n), nil
		}
	}
	i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
	if i < 0 {
		var names []string
		for _, w := range workloads {
			names = append(names, w.name)
		}
		return workload{}, fmt.Errorf("unknown workload %q (have %s)", name, strings.Join(names, ", "))
	}
	return workloads[i], nil
}

func prepareKeys(c *client, w workloadParams) error { return ensureKeys(c, w.Keys, w.data) }

func prepareParents(c *client, w workloadParams) error {
	for s := range w.Sessions {
		if err := ensurePath(c, w.parent(s)); err != nil {
			return err
		}
	}
	return nil
}

// parent is the znode below which one session creates; its own, as sessions in production mostly have.
func (w workloadParams) parent(session int) string {
	return fmt.Sprintf("%s/run%d/s%05d", benchRoot, w.Run, session)
}

// keyFrames prepares one request for each key. The result is only read.
func (w workloadParams) keyFrames(build func(path string) []byte) [][]byte {
	all := make([][]byte, w.Keys)
	for i := range all {
		all[i] = build(keyPath(i))
	}
	return all
}
