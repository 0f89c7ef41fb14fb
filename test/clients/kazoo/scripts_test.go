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
	scripts(t, s.Addr(), suite.StartLossyProxy(t, s.Addr(), suite.Start(t).Addr()))
}

// TestScriptsEnsemble runs them with three servers, through all of them; those in test_leader.py and test_fences.py here only.
func TestScriptsEnsemble(t *testing.T) {
	suite.Need(t, "kazoo")
	t.Parallel()
	e := suite.StartEnsemble(t)
	scripts(t, e.Addr(), e.StartProxy(t))
}

func scripts(t *testing.T, hosts string, p *suite.Proxy) {
	t.Helper()
	dir, err := filepath.Abs("scripts")
	if err != nil {
		t.Fatal(err)
	}
	pytest(t, 3*time.Minute, []string{"ZK_HOSTS=" + hosts, "ZK_PROXY=" + p.Addr(), "ZK_PROXY_CONTROL=" + p.Control()},
		"-c", "/dev/null", "--rootdir", dir, dir)
}
