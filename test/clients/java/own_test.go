package javaclients

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

// TestOwnZooKeeper runs ZooKeeper's own tests of its client. Left out is what looks into a server in the same process:
// connection tables (…OnAPath, testWatcherCount), counters (ZooKeeperQuotaTest), a switch that
// makes creates fail (testPathValidation); and what only tries the client's
// patience without a server (…WhenNoConnection, testSessionRecoveredAfterMultipleFailedAttempts takes a minute), and
// testFourLetterWords, which wants a java.version in the answer to envi.
func TestOwnZooKeeper(t *testing.T) { own(t, 1, "own-zookeeper", ownZooKeeper...) }

// TestOwnZooKeeperEnsemble runs some of them against a member of three servers; CLIENTS_LONG=1 runs all, for minutes,
// as each test forms an ensemble.
func TestOwnZooKeeperEnsemble(t *testing.T) {
	some := []string{"SessionInvalidationTest", "PersistentWatcherTest", "GetEphemeralsTest", "WatcherFuncTest"}
	if suite.Long() {
		some = ownZooKeeper
	}
	own(t, 3, "own-zookeeper-3", some...)
}

var ownZooKeeper = []string{
	"AsyncOpsTest", "AuthTest", "ChrootTest", "ChrootAsyncTest", "ChrootClientTest", "ClientTest",
	"CreateTest", "DisconnectedWatcherTest", "EnforceQuotaTest", "GetChildren2Test", "MaxCnxnsTest",
	"MultiAsyncTransactionTest", "MultiOperationTest", "NullDataTest", "PersistentRecursiveWatcherTest",
	"PersistentWatcherACLTest", "PersistentWatcherTest", "SessionInvalidationTest", "SessionTimeoutTest", "StatTest",
	"SyncCallTest", "WatcherFuncTest", "WatcherTest", "ClientRetryTest", "FourLetterWordsTest",
	"GetAllChildrenNumberTest", "GetEphemeralsTest", "RemoveWatchesTest", "RemoveWatchesCmdTest", "ZooKeeperTest",
	"!RemoveWatchesTest#*OnAPath*", "!RemoveWatchesTest#*WhenNoConnection*", "!*ClientTest#testPathValidation*", "!WatcherTest#testWatcherCount*",
	"!SessionTimeoutTest#testSessionRecoveredAfterMultipleFailedAttempts*", "!FourLetterWordsTest#testFourLetterWords*",
}

// TestOwnCurator runs tests of Curator's framework and recipes: those that do not spend minutes on sessions that end.
func TestOwnCurator(t *testing.T) { own(t, 1, "own-curator", ownCurator...) }

// TestOwnCuratorEnsemble runs some of them against a member of three servers, and all with CLIENTS_LONG=1.
func TestOwnCuratorEnsemble(t *testing.T) {
	some := []string{"TestDistributedBarrier", "TestGroupMember", "TestTransactionsNew"}
	if suite.Long() {
		some = ownCurator
	}
	own(t, 3, "own-curator-3", some...)
}

var ownCurator = []string{
	"TestCreate", "TestCreateReturningStat", "TestDelete", "TestExistsBuilder", "TestSetData",
	"TestCompression", "TestCompressionInTransactionNew", "TestTransactionsNew", "TestTransactionsOld", "TestTtlNodes",
	"TestNamespaceFacade", "TestEnsureContainers", "TestMultiClient", "TestDistributedAtomicLong",
	"TestDistributedBarrier", "TestCuratorCache", "TestLockACLs", "TestGroupMember",
	"TestSimpleDistributedQueue", "TestPersistentWatcher#testNamespacedWatching+testAfterClientClose+testConcurrentClientClose",
}

// TestOwnCuratorCluster runs tests of Curator's that start three servers and stop or kill some of them at once; with
// CLIENTS_LONG=1 all that have a cluster of their own. Four of TestReconfiguration's, testAdd, testAddAsync,
// testAddAndRemove and testAddWithoutEnsembleTracker, pass with ZooKeeper and fail with zkd: they have a server join as
// 0.0.0.0, which zkd refuses (docs/compatibility.md).
func TestOwnCuratorCluster(t *testing.T) {
	some := []string{"TestCuratorCacheEdges", "TestPathChildrenCacheInCluster"}
	if suite.Long() {
		some = append(some, "TestCuratorCacheConsistency", "TestLeaderSelectorCluster", "TestLeaderLatchCluster",
			"TestLongNetworkPartition", "TestInterProcessSemaphoreCluster", "TestWithCluster", "TestFrameworkEdges",
			"TestReadOnly", "TestReconfiguration")
	}
	own(t, 1, "own-curator-cluster", some...)
}

// TestOwnCuratorLostConnection runs those that sleep until a watch should be set again: alone, since other programs
// at work on the machine outlast that.
func TestOwnCuratorLostConnection(t *testing.T) {
	ownAlone(t, 1, "own-curator-lost", "TestPersistentWatcher#testConnectionLost+testConnectionLostRecursive")
}

// own is ownAlone beside the other tests.
func own(t *testing.T, servers int, name string, tests ...string) {
	t.Parallel()
	ownAlone(t, servers, name, tests...)
}

// ownAlone runs tests from the jars that ZooKeeper and Curator publish, each of which starts servers of its own, alone
// or as ensembles of so many.
func ownAlone(t *testing.T, servers int, name string, tests ...string) {
	suite.Need(t, "java-clients")
	if err := ownCompiled(); err != nil {
		t.Fatal(err)
	}
	if only := os.Getenv("JAVA_ONLY"); only != "" {
		tests = []string{only}
	}
	limit := 8 * time.Minute
	if suite.Long() {
		limit *= 3
	}
	surefire(t, "own", name, limit, "-Dtest="+strings.Join(tests, ","), "-Dzk.servers="+strconv.Itoa(servers),
		"-Dzk.launcher="+suite.Launcher(t, t.TempDir(), "launch"))
}
