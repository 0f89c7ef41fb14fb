// Package realzk finds and starts real ZooKeeper servers, so that tests can ask them what zkd has to answer and
// benchmarks can run side by side. install.sh in this folder fetches what it looks for; it changes nothing itself.
package realzk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// Distribution is one installed ZooKeeper.
type Distribution struct {
	Version string   // as in "3.9.5"
	Java    string   // the java binary to run it with
	Jars    []string // class path
}

// Minor is the release line, as in "3.9".
func (d Distribution) Minor() string {
	parts := strings.SplitN(d.Version, ".", 3)
	if len(parts) < 2 {
		return d.Version
	}
	return parts[0] + "." + parts[1]
}

// AtLeast reports whether the release line is minor or a later one, as in d.AtLeast("3.9").
func (d Distribution) AtLeast(minor string) bool { return number(d.Minor()) >= number(minor) }

func number(minor string) int {
	var a, b int
	fmt.Sscanf(minor, "%d.%d", &a, &b)
	return a*1000 + b
}

// ErrNoJava says that there is no Java to run a ZooKeeper with.
var ErrNoJava = errors.New("realzk: no java found (set ZK_JAVA, or run test/realzk/install.sh)")

// Find lists the ZooKeepers on this machine, oldest release first. An empty list is not an error: Missing says why.
func Find() []Distribution {
	java, err := findJava()
	if err != nil {
		return nil
	}
	var all []Distribution
	if d, ok := debian(java); ok {
		all = append(all, d)
	}
	folders, _ := filepath.Glob(filepath.Join(cacheDir(), "zookeeper-*"))
	for _, f := range folders {
		version := strings.TrimPrefix(filepath.Base(f), "zookeeper-")
		if _, err := os.Stat(filepath.Join(f, "zookeeper-"+version+".jar")); err != nil {
			continue // still being fetched
		}
		jars, _ := filepath.Glob(filepath.Join(f, "*.jar"))
		all = append(all, Distribution{Version: version, Java: java, Jars: jars})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].before(all[j]) })
	return all
}

// before reports whether d is an older release than o: 3.9.4 comes before 3.9.10.
func (d Distribution) before(o Distribution) bool {
	if a, b := number(d.Minor()), number(o.Minor()); a != b {
		return a < b
	}
	return d.patch() < o.patch()
}

func (d Distribution) patch() (n int) {
	fmt.Sscanf(strings.TrimPrefix(d.Version, d.Minor()), ".%d", &n)
	return n
}

// FindVersion returns the newest ZooKeeper of a release line, as in FindVersion("3.9").
func FindVersion(minor string) (Distribution, error) {
	if _, err := findJava(); err != nil {
		return Distribution{}, err
	}
	all := Find()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Minor() == minor {
			return all[i], nil
		}
	}
	return Distribution{}, fmt.Errorf("realzk: no ZooKeeper %s here (run test/realzk/install.sh)", minor)
}

// debian is the distribution's package: one jar whose manifest names the rest.
func debian(java string) (Distribution, bool) {
	const folder = "/usr/share/java"
	jars, _ := filepath.Glob(filepath.Join(folder, "zookeeper-[0-9]*.jar"))
	if len(jars) == 0 {
		return Distribution{}, false
	}
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(jars[0]), "zookeeper-"), ".jar")
	cp := []string{filepath.Join(folder, "zookeeper.jar")}
	// The package leaves the choice of a log backend open; without one nothing is logged.
	if simple := filepath.Join(folder, "slf4j-simple.jar"); exists(simple) {
		cp = append(cp, simple)
	}
	return Distribution{Version: version, Java: java, Jars: cp}, true
}

// findJava prefers Java 17: it runs every release from 3.8 on, while newest Javas miss parts that 3.8 needs.
func findJava() (string, error) {
	if j := os.Getenv("ZK_JAVA"); j != "" {
		return j, nil
	}
	homes, _ := filepath.Glob("/usr/lib/jvm/java-17-*/bin/java")
	if len(homes) > 0 {
		return homes[0], nil
	}
	if j, err := exec.LookPath("java"); err == nil {
		return j, nil
	}
	return "", ErrNoJava
}

// cacheDir is test/.cache, next to this package's folder.
func cacheDir() string {
	if d := os.Getenv("ZK_CACHE"); d != "" {
		return d
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", ".cache")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
