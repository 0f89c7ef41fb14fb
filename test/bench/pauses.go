package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// goTrace has Go's runtime write a line about each collection to the server's log.
const goTrace = "GODEBUG=gctrace=1"

// goPauses reads them: "gc 7 @1.2s 3%: 0.02+1.5+0.01 ms clock, ...". The first and the third time are those
// in which everything stood still, so each collection has two pauses.
func goPauses(s *server) ([]time.Duration, error) {
	log, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	return parseGoTrace(log[min(s.logFrom, int64(len(log))):]), nil
}

func parseGoTrace(log []byte) (all []time.Duration) {
	for line := range bytes.Lines(log) {
		if !isGoTrace(line) {
			continue
		}
		_, rest, _ := bytes.Cut(line, []byte(": "))
		clock, _, ok := bytes.Cut(rest, []byte(" ms clock"))
		times := bytes.Split(clock, []byte("+"))
		if !ok || len(times) != 3 {
			continue
		}
		for _, t := range [][]byte{times[0], times[2]} {
			if ms, err := strconv.ParseFloat(string(t), 64); err == nil {
				all = append(all, time.Duration(ms*float64(time.Millisecond)))
			}
		}
	}
	return all
}

func isGoTrace(line []byte) bool {
	return bytes.HasPrefix(line, []byte("gc ")) && bytes.Contains(line, []byte(" ms clock"))
}

// jvmTrace is a flag of the JVM: a line about each collection in a file of its own.
func jvmTrace(s *server) string { return "-Xlog:gc:file=" + jvmTraceFile(s) + ":uptime:filecount=0" }

func jvmTraceFile(s *server) string { return filepath.Join(s.dir, "gc.log") }

// jvmPauses reads "[1.2s] GC(3) Pause Young (Normal) (G1 Evacuation Pause) 24M->4M(256M) 3.456ms".
func jvmPauses(s *server) ([]time.Duration, error) {
	log, err := os.ReadFile(jvmTraceFile(s))
	if err != nil {
		return nil, err
	}
	return parseJVMTrace(log), nil
}

func parseJVMTrace(log []byte) (all []time.Duration) {
	for line := range bytes.Lines(log) {
		f := bytes.Fields(line)
		if len(f) == 0 || !bytes.Contains(line, []byte(" Pause ")) {
			continue
		}
		if d, err := time.ParseDuration(string(f[len(f)-1])); err == nil {
			all = append(all, d)
		}
	}
	return all
}
