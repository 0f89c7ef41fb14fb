package gozk

import (
	"testing"

	"zkd/test/clients/suite"
)

// TestScripts runs our own programs with go-zookeeper, in scripts/.
func TestScripts(t *testing.T) {
	suite.Need(t, "gozk")
	t.Parallel()
	s := suite.Start(t)
	scripts(t, s.Addr(), suite.StartLossyProxy(t, s.Addr(), suite.Start(t).Addr()))
}

// TestScriptsEnsemble runs them with three servers, through all of them: each client is on a server by chance, and a
// connection that is dropped leads to another one. TestLeaderKilled runs here only.
func TestScriptsEnsemble(t *testing.T) {
	suite.Need(t, "gozk")
	t.Parallel()
	e := suite.StartEnsemble(t)
	scripts(t, e.Addr(), e.StartProxy(t))
}

func scripts(t *testing.T, hosts string, p *suite.Proxy) {
	t.Helper()
	dir := t.TempDir()
	runTests(t, dir, build(t, "scripts", dir), []string{
		"ZK_HOSTS=" + hosts, "ZK_PROXY=" + p.Addr(), "ZK_PROXY_CONTROL=" + p.Control(),
	})
}
