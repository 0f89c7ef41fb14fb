package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zkd/test/realzk"
)

const (
	zookeeperName = "zookeeper"
	// baselineMinor is the release line the project's targets were measured against; it stands behind
	// the plain name. Others are named zookeeper-3.9 and so on.
	baselineMinor = "3.8"
)

func isZooKeeper(name string) bool {
	return name == zookeeperName || strings.HasPrefix(name, zookeeperName+"-")
}

// zookeeperKind runs a ZooKeeper that realzk finds. It is started here and not by realzk, whose servers
// are set up for the reach of a test: this one has ZooKeeper's defaults, the JVM's default collector and
// the given heap limit (zkServer.sh says 1000 MB), and is started, killed and timed just as zkd is.
func zookeeperKind(name, heap string, firstWarm, warm time.Duration) (*kind, error) {
	dist, err := findDistribution(name)
	if err != nil {
		return nil, err
	}
	return &kind{
		name:      name,
		version:   dist.Version,
		firstWarm: firstWarm,
		warm:      warm,
		files:     map[string]string{"logback.xml": quietLogback},
		argv: func(s *server) []string {
			return []string{
				dist.Java, "-Xmx" + heap, "-XX:-UsePerfData", jvmTrace(s),
				"-Djava.io.tmpdir=" + s.dir,
				// Neither server logs requests; a log backend left to itself does.
				"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
				"-Dlogback.configurationFile=" + filepath.Join(s.dir, "logback.xml"),
				"-cp", strings.Join(dist.Jars, ":"),
				"org.apache.zookeeper.server.quorum.QuorumPeerMain", s.cfg(),
			}
		},
		liveHeap: jvmLiveHeap,
		pauses:   jvmPauses,
		forZnodes: func(n int) *kind {
			bigger := heap
			if n > million {
				bigger = fmt.Sprintf("%dm", heapMillion*n/million)
			}
			k, _ := zookeeperKind(name, bigger, firstWarm, warm) // it was found before
			return k
		},
	}, nil
}

// heapMillion is the MB of heap for each million znodes beyond the first, of which half is live.
const heapMillion = 1000

// findDistribution: the plain name is the baseline or, without it, the newest there is.
func findDistribution(name string) (realzk.Distribution, error) {
	if minor, named := strings.CutPrefix(name, zookeeperName+"-"); named {
		return realzk.FindVersion(minor)
	}
	if d, err := realzk.FindVersion(baselineMinor); err == nil {
		return d, nil
	}
	if all := realzk.Find(); len(all) > 0 {
		return all[len(all)-1], nil
	}
	return realzk.Distribution{}, fmt.Errorf("no ZooKeeper to compare with (run test/realzk/install.sh, or choose -servers zkd)")
}

const quietLogback = `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="OUT"/></root>
</configuration>
`

// jvmLiveHeap asks the JVM for a class histogram, which collects garbage first and ends with the total.
func jvmLiveHeap(s *server) (heap, error) {
	out, err := exec.Command("jcmd", strconv.Itoa(s.pid()), "GC.class_histogram").Output()
	if err != nil {
		return heap{}, fmt.Errorf("jcmd: %w", err)
	}
	n, err := parseHistogramTotal(out)
	return heap{bytes: n, how: "class histogram after a collection"}, err
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
