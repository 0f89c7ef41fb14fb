// Package gozk runs go-zookeeper/zk, the Go client, against a server: its own tests in own_test.go, ours in the rest.
package gozk

import (
	"testing"

	"zkd/test/clients/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }
