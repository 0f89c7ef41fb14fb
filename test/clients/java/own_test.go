package javaclients

import (
	"os"
	"strings"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

// own runs tests from the jars that ZooKeeper and Curator publish, each of which starts servers of its own.
func own(t *testing.T, name string, limit time.Duration, tests ...string) {
	suite.Need(t, "java-clients")
	t.Parallel()
	if err := ownCompiled(); err != nil {
		t.Fatal(err)
	}
	surefire(t, "own", name, limit, "-Dtest="+strings.Join(tests, ","),
		"-Dzk.launcher="+suite.Launcher(t, t.TempDir(), "launch"))
}

func TestOwnProbe(t *testing.T) {
	own(t, "probe", 10*time.Minute, strings.Split(os.Getenv("PROBE"), ",")...)
}
