package kazoo

import (
	"path/filepath"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

// TestScripts runs our own programs with kazoo: the recipes, watchers, sessions, transactions and ACLs.
func TestScripts(t *testing.T) {
	suite.Need(t, "kazoo")
	t.Parallel()
	s := suite.Start(t)
	p := suite.StartProxy(t, s.Addr())
	scripts, err := filepath.Abs("scripts")
	if err != nil {
		t.Fatal(err)
	}
	pytest(t, 3*time.Minute, []string{"ZK_HOSTS=" + s.Addr(), "ZK_PROXY=" + p.Addr(), "ZK_PROXY_CONTROL=" + p.Control()},
		"-c", "/dev/null", "--rootdir", scripts, scripts)
}
