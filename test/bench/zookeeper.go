package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const (
	zookeeperJar = "/usr/share/java/zookeeper.jar" // its manifest names what it needs
	slf4jJar     = "/usr/share/java/slf4j-simple.jar"
)

// zookeeperKind runs the packaged ZooKeeper as its own scripts do: heap limit as given (zkServer.sh
// says 1000 MB), the JVM's default collector.
func zookeeperKind(heap string, firstWarm, warm time.Duration) (*kind, error) {
	if _, err := os.Stat(zookeeperJar); err != nil {
		return nil, fmt.Errorf("no ZooKeeper to compare with: %w", err)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("no JVM to run ZooKeeper: %w", err)
	}
	return &kind{
		name:      "zookeeper",
		firstWarm: firstWarm,
		warm:      warm,
		argv: func(cfg string) []string {
			return []string{
				java, "-Xmx" + heap, "-XX:-UsePerfData",
				"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
				"-Djava.io.tmpdir=" + filepath.Dir(cfg),
				"-cp", zookeeperJar + ":" + slf4jJar,
				"org.apache.zookeeper.server.quorum.QuorumPeerMain", cfg,
			}
		},
		liveHeap: jvmLiveHeap,
	}, nil
}

// jvmLiveHeap asks the JVM for a class histogram, which collects garbage first and ends with the total.
func jvmLiveHeap(s *server) (int64, string, error) {
	out, err := exec.Command("jcmd", strconv.Itoa(s.pid()), "GC.class_histogram").Output()
	if err != nil {
		return 0, "", fmt.Errorf("jcmd: %w", err)
	}
	n, err := parseHistogramTotal(out)
	return n, "class histogram after GC", err
}

// parseHistogramTotal reads the last line, "Total  <instances>  <bytes>".
func parseHistogramTotal(out []byte) (int64, error) {
	for line := range bytes.Lines(out) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == "Total" {
			return strconv.ParseInt(string(f[2]), 10, 64)
		}
	}
	return 0, fmt.Errorf("class histogram without a total")
}
