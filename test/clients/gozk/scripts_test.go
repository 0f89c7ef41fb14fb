package gozk

import (
	"testing"

	"zkd/test/clients/suite"
)

// TestScripts runs our own programs with go-zookeeper, in scripts/.
func TestScripts(t *testing.T) {
	suite.Need(t, "gozk")
	s := suite.Start(t)
	p := suite.StartProxy(t, s.Addr())
	dir := t.TempDir()
	runTests(t, dir, build(t, "scripts", dir), []string{
		"ZK_HOSTS=" + s.Addr(), "ZK_PROXY=" + p.Addr(), "ZK_PROXY_CONTROL=" + p.Control(),
	})
}
