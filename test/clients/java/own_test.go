package javaclients

import (
	"os"
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
func TestOwnZooKeeper(t *testing.T) {
	own(t, "own-zookeeper", "AsyncOpsTest", "AuthTest", "ChrootTest", "ChrootAsyncTest", "ChrootClientTest", "ClientTest",
		"CreateTest", "DisconnectedWatcherTest", "EnforceQuotaTest", "GetChildren2Test", "MaxCnxnsTest",
		"MultiAsyncTransactionTest", "MultiOperationTest", "NullDataTest", "PersistentRecursiveWatcherTest",
		"PersistentWatcherACLTest", "PersistentWatcherTest", "SessionInvalidationTest", "SessionTimeoutTest", "StatTest",
		"SyncCallTest", "WatcherFuncTest", "WatcherTest", "ClientRetryTest", "FourLetterWordsTest",
		"GetAllChildrenNumberTest", "GetEphemeralsTest", "RemoveWatchesTest", "RemoveWatchesCmdTest", "ZooKeeperTest",
		"!RemoveWatchesTest#*OnAPath*", "!RemoveWatchesTest#*WhenNoConnection*", "!*ClientTest#testPathValidation*", "!WatcherTest#testWatcherCount*",
		"!SessionTimeoutTest#testSessionRecoveredAfterMultipleFailedAttempts*", "!FourLetterWordsTest#testFourLetterWords*")
}

// TestOwnCurator runs tests of Curator's framework and recipes: those that do not spend minutes on sessions that end.
func TestOwnCurator(t *testing.T) {
	own(t, "own-curator", "TestCreate", "TestCreateReturningStat", "TestDelete", "TestExistsBuilder", "TestSetData",
		"TestCompression", "TestCompressionInTransactionNew", "TestTransactionsNew", "TestTransactionsOld", "TestTtlNodes",
		"TestNamespaceFacade", "TestEnsureContainers", "TestMultiClient", "TestDistributedAtomicLong",
		"TestDistributedBarrier", "TestCuratorCache", "TestLockACLs", "TestGroupMember",
		"TestSimpleDistributedQueue", "TestPersistentWatcher")
}

// own runs tests from the jars that ZooKeeper and Curator publish, each of which starts servers of its own.
func own(t *testing.T, name string, tests ...string) {
	suite.Need(t, "java-clients")
	t.Parallel()
	if err := ownCompiled(); err != nil {
		t.Fatal(err)
	}
	if only := os.Getenv("JAVA_ONLY"); only != "" {
		tests = []string{only}
	}
	surefire(t, "own", name, 5*time.Minute, "-Dtest="+strings.Join(tests, ","),
		"-Dzk.launcher="+suite.Launcher(t, t.TempDir(), "launch"))
}
