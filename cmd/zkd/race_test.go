//go:build race

package main

// underRace tells whether the race detector runs: it ends a process without memory by a code of its own.
const underRace = true
