package ensemble

import (
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"

	"zkd/test/realzk"
	"zkd/test/zkdserver"
)

// product is what servers are made of: zkd, or a ZooKeeper.
type product struct {
	name    string // "zkd", or as in "zookeeper-3.8"
	command func(conf string, props map[string]string) (*exec.Cmd, error)
}

const zkd = "zkd"

// Against names what the suite runs against.
func Against() string {
	if name := os.Getenv("ENSEMBLE_AGAINST"); name != "" {
		return name
	}
	return zkd
}

// OnlyZkd skips a test of what ZooKeeper does not have.
func OnlyZkd(t testing.TB) {
	t.Helper()
	if Against() != zkd {
		t.Skip("only zkd does this")
	}
}

func theProduct(t testing.TB, name string) product {
	t.Helper()
	if name == "" {
		name = Against()
	}
	if name == zkd {
		bin, err := zkdserver.Build()
		if err != nil {
			t.Fatal(err)
		}
		return zkdAt(bin)
	}
	minor, ok := strings.CutPrefix(name, "zookeeper-")
	if !ok {
		t.Fatalf("%s: neither zkd nor zookeeper-<release line>", name)
	}
	dist, err := realzk.FindVersion(minor)
	if err != nil {
		t.Fatal(err)
	}
	return product{name, func(conf string, props map[string]string) (*exec.Cmd, error) {
		return dist.Command(conf, realzk.Options{Props: props})
	}}
}

// zkdAt is a zkd by its binary.
func zkdAt(bin string) product {
	return product{zkd, func(conf string, props map[string]string) (*exec.Cmd, error) {
		all := map[string]string{"zookeeper.4lw.commands.whitelist": "*"}
		maps.Copy(all, props)
		return zkdserver.Command(bin, conf, all), nil
	}}
}
