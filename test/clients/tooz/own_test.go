// Package tooz runs the own tests of tooz, OpenStack's library for groups, locks and elections, over kazoo.
package tooz

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

// TestOwnEnsemble runs tooz's own tests with three servers, between which kazoo chooses at random: a member joins a group
// through one, and another asks at once through the next. It takes for granted that a write which was answered is seen there.
func TestOwnEnsemble(t *testing.T) {
	suite.Need(t, "tooz")
	t.Parallel()
	plugins, err := filepath.Abs("../kazoo/plugin")
	if err != nil {
		t.Fatal(err)
	}
	addrs := suite.StartEnsemble(t).Addrs()
	url := "kazoo://" + addrs[0] + "?hosts=" + strings.Join(addrs[1:], "&hosts=")
	suite.Run(t, suite.Program{
		Args: []string{suite.Cache("tooz", "bin", "python"), "-B", "-m", "pytest", "-p", "no:cacheprovider", "-p", "zkd_tap",
			"--timeout=60", "--pyargs", "tooz.tests.test_coordination", "tooz.tests.test_partitioner", "tooz.tests.test_hashring"},
		Dir:   t.TempDir(),
		Env:   append(os.Environ(), "PYTHONPATH="+plugins, "TOOZ_TEST_URL="+url),
		Limit: 4 * time.Minute,
	})
}
