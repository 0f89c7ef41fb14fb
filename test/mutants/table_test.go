package mutants

// check is some tests of a package, as a regular expression of their names,
// that are to fail when a mutant is built in.
type check struct {
	pkg, run string
	args     []string
}

// caught has, for each mutant, the tests that catch it.
var caught = map[string][]check{
	"apply":  {{pkg: "consensus", run: "TestNothingIsKnownBeforeTheLeaderHasIt"}},
	"commit": {{pkg: "consensus", run: "TestNothingIsKnownBeforeTheLeaderHasIt"}},
	"answer": {{pkg: "consensus", run: "TestFormerLeaderConfirmsWhatItHas"}},
	"reopen": {{pkg: "consensus", run: "TestKilledThenPowerFails"}},
	"kind":   {{pkg: "consensus/store", run: "TestOnlyRequestsAreSyncedBehind"}},
	"seal":   {{pkg: "consensus/store", run: "TestSealingIsNotLeftBehind"}},
	"sync":   {{pkg: "consensus/store", run: "TestSyncComesBehind"}, {pkg: "consensus", run: "TestAcknowledgedIsOnTheLeadersDisk"}},
	"bound":  {{pkg: "consensus/store", run: "TestBoundWaitsForTheSync"}},
	"order":  {{pkg: "consensus/store", run: "TestOneBatchIsUnsynced"}},

	"vote-sync":    {{pkg: "consensus/store", run: "TestVoteIsSynced"}},
	"vote-whole":   {{pkg: "consensus/store", run: "TestStableVoteIsAtomic"}},
	"entry-sum":    {{pkg: "consensus/store", run: "TestRotWhileRunning"}},
	"snapshot-sum": {{pkg: "consensus/store", run: "TestSnapshotRotEveryByte"}},
	"rot":          {{pkg: "consensus/store", run: "TestRotEveryByte"}},
	"fail-stop":    {{pkg: "consensus/store", run: "TestLogFailStop"}},
	"name-sync":    {{pkg: "consensus/store", run: "TestSnapshotIsDurableBeforeItCounts"}},

	"heartbeat":   {{pkg: "consensus/peer", run: "TestHeartbeatsGoTheWayOfAllRequests"}},
	"own-tail":    {{pkg: "consensus", run: "TestHeldCommits"}},
	"stranger":    {{pkg: "consensus/peer", run: "TestHello"}},
	"incarnation": {{pkg: "consensus", run: "TestLaterIDs"}, {pkg: "consensus", run: "TestBlankServerReturns"}},
	"once":        {{pkg: "consensus", run: "TestEachRequestIsAppliedOnce"}},
	"gap":         {{pkg: "consensus", run: "TestEachRequestIsAppliedOnce"}},
	"replaced":    {{pkg: "consensus", run: "TestEachRequestIsAppliedOnce"}},
	"origins":     {{pkg: "consensus", run: "TestStateRoundTrip"}},
	"time":        {{pkg: "consensus", run: "TestTimeNeverGoesBack"}},

	"timeout":     {{pkg: "session", run: "TestExpiresAfterItsTimeoutAndWithinATick"}},
	"stall":       {{pkg: "session", run: "TestStalledServerGivesTheTimeBack"}},
	"fresh-clock": {{pkg: "server", run: "TestTrackedSessions"}},
	"relay":       {{pkg: "server", run: "TestReported"}},
	"waiting":     {{pkg: "server", run: "TestNoExpiryWhileTheLogIsSlow"}},
	"deposed":     {{pkg: "server", run: "TestExpiryOfADeposedLeader"}},
	"generation":  {{pkg: "server", run: "TestFarewellOverAnOldConnection"}, {pkg: "server", run: "TestParkedOnAMovedSession"}},
	"ended":       {{pkg: "server", run: "TestRequestsOfAnEndedSession"}},
	"elsewhere":   {{pkg: "server", run: "TestMoveAway"}},
	"unknown":     {{pkg: "server", run: "TestUnknownSessionIsLookedFor"}},
	"orphans":     {{pkg: "znode", run: "TestLoadGivesTheTreeBack|TestRandomOperationsAgainstModel"}},

	"gate":         {{pkg: "server", run: "TestGateCloses"}, {pkg: "server", run: "TestNoAnswerAfterAPause"}},
	"catch-up":     {{pkg: "server", run: "TestGateOpensBehindASync"}},
	"seen":         {{pkg: "server", run: "TestClientThatHasSeenMore"}},
	"sync-log":     {{pkg: "server", run: "TestSyncIsInTheLog"}},
	"committed":    {{pkg: "server", run: "TestPipelinesKeepOrder|TestAnsweredReadsDoNotWaitForTheWrite"}},
	"own-writes":   {{pkg: "server", run: "TestReadsInTheirPlace"}},
	"parked-order": {{pkg: "server", run: "TestReadsInTheirPlace"}},
	"zxid":         {{pkg: "server", run: "TestReplyHasTheZxidOfItsState"}},
	"event-first":  {{pkg: "server", run: "TestEventBeforeTheReplyToItsCause"}},
	"each-watcher": {{pkg: "watch", run: "TestManyWatchersOfOnePath|TestRandomAgainstReference"}},
	"close-events": {{pkg: "server", run: "TestExpiry"}},
	"recursive":    {{pkg: "watch", run: "TestSteps|TestPersistentThroughALife"}},
	"missed":       {{pkg: "server", run: "TestWatchesAfterRestart"}},
	"install":      {{pkg: "server", run: "TestInstalledSnapshotDropsClients"}},

	"leader-clock": {{pkg: "server", run: "TestRestartShowsTheSame"}},
	"subtree":      {{pkg: "znode", run: "TestLoadGivesTheTreeBack"}},
	"undo":         {{pkg: "znode", run: "TestMulti|TestRollbackRestoresTheDigest"}},
}

// unsimulated are those that the simulation cannot notice, and why.
var unsimulated = map[string]string{}

// fast are those of -mutants.quick.
var fast = []string{"once", "gap", "vote-whole", "entry-sum", "rot", "stall", "ended", "gate", "seen", "zxid", "event-first", "orphans", "undo"}
