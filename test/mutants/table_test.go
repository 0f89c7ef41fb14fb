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
	"answer": {{pkg: "consensus", run: "TestFormerLeaderConfirmsWhatItHas"}, {pkg: "consensus", run: "TestFollowerAppliesWhatOthersHave"}},
	"reopen": {{pkg: "consensus/store", run: "TestWhatIsFoundIsSynced"}, {pkg: "consensus", run: "TestKilledThenPowerFails"}},
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
	"rebuilt":      {{pkg: "test/simulation", run: "TestRebuildingDies", args: []string{"-start.stride", "4"}}},
	"name-sync":    {{pkg: "consensus/store", run: "TestSnapshotIsDurableBeforeItCounts"}},

	"heartbeat":   {{pkg: "consensus/peer", run: "TestHeartbeatsGoTheWayOfAllRequests"}},
	"own-tail":    {{pkg: "consensus", run: "TestHeldCommits"}},
	"announce":    {{pkg: "consensus", run: "TestCommitIsAnnouncedBeforeItIsApplied"}},
	"stranger":    {{pkg: "consensus/peer", run: "TestHello"}},
	"incarnation": {{pkg: "consensus", run: "TestLaterIDs"}, {pkg: "consensus", run: "TestBlankServerReturns"}},
	"once":        {{pkg: "consensus", run: "TestEachRequestIsAppliedOnce"}},
	"gap":         {{pkg: "consensus", run: "TestEachRequestIsAppliedOnce"}},
	"replaced":    {{pkg: "consensus", run: "TestEachRequestIsAppliedOnce"}},
	"readable":    {{pkg: "consensus", run: "TestLogThatCannotBeRead.*"}},
	"vanished":    {{pkg: "consensus", run: "TestClusterOfWhichNothingIsLeft"}},
	"founding":    {{pkg: "consensus", run: "TestFoundingCutShort"}},
	"origins":     {{pkg: "consensus", run: "TestStateRoundTrip"}},
	"time":        {{pkg: "consensus", run: "TestTimeNeverGoesBack"}},
	"files":       {{pkg: "server/member", run: "TestAgreed"}, {pkg: "test/simulation", run: "TestScenarios", args: byFiles}},
	"new-quorum":  {{pkg: "consensus", run: "TestNextChange|TestReached"}, {pkg: "test/simulation", run: "TestScenarios", args: comingLate}},

	"first-clients": {{pkg: "consensus", run: "TestWhoIsWaitedForBeforeTheFirstClients"}},
	"stand-back":    {{pkg: "consensus", run: "TestTwoClustersUnderOneList"}},
	"second-vote":   {{pkg: "consensus", run: "TestNoSecondVoteByWhoFormsAnEnsemble"}},
	"enfranchise":   {{pkg: "consensus", run: "TestReplacedVoterHasItsVoteAtOnce"}},
	"up-to-date":    {{pkg: "consensus", run: "TestNextChange|TestReached"}},

	"own-line": {{pkg: "server", run: "TestFirstListNamesThisServer"}},

	"timeout":     {{pkg: "session", run: "TestExpiresAfterItsTimeoutAndWithinATick"}},
	"stall":       {{pkg: "session", run: "TestStalledServerGivesTheTimeBack"}},
	"fresh-clock": {{pkg: "server", run: "TestTrackedSessions"}},
	"relay":       {{pkg: "server", run: "TestReported"}, {pkg: "test/simulation", run: "TestScenarios", args: quiet}},
	"parted":      {{pkg: "server", run: "TestReportOfAConnectionThatEnded"}, {pkg: "test/simulation", run: "TestScenarios", args: quiet}},
	"waiting":     {{pkg: "server", run: "TestNoExpiryWhileTheLogIsSlow"}},
	"slow":        {{pkg: "server", run: "TestSlowReaderIsAlive"}, {pkg: "test/simulation", run: "TestScenarios", args: []string{"-sim.scenario", "slow readers"}}},
	"deposed":     {{pkg: "server", run: "TestExpiryOfADeposedLeader"}},
	"generation":  {{pkg: "server", run: "TestCloseSessionOfAnOldConnection|TestCloseBehindAMove"}, {pkg: "server", run: "TestParkedOnAMovedSession"}},
	"ended":       {{pkg: "server", run: "TestRequestsOfAnEndedSession"}},
	"elsewhere":   {{pkg: "server", run: "TestMoveAway"}},
	"unknown":     {{pkg: "server", run: "TestUnknownSessionIsLookedFor"}},
	"orphans":     {{pkg: "znode", run: "TestLoadGivesTheTreeBack|TestRandomOperationsAgainstModel"}},

	"gate":         {{pkg: "server", run: "TestGateCloses"}, {pkg: "server", run: "TestNoAnswerAfterAPause"}},
	"catch-up":     {{pkg: "server", run: "TestGateOpensBehindASync"}},
	"seen":         {{pkg: "server", run: "TestClientThatHasSeenMore"}},
	"lost":         {{pkg: "server", run: "TestClientThatHasSeenWhatIsLost"}},
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
	"ttl":          {{pkg: "znode", run: "TestRandomOperationsAgainstModel"}},
}

// quiet is a scenario that does no harm to servers: sessions must end neither early nor late.
var quiet = []string{"-sim.scenario", "vanished clients"}

// comingLate is a scenario of members that are not there yet.
var comingLate = []string{"-sim.scenario", "members come late"}

// byFiles is a scenario of members that the files decide about.
var byFiles = []string{"-sim.scenario", "members by files"}

// unsimulated are those that the simulation does not notice, and why.
var unsimulated = map[string]string{
	"own-line": "the lists of seeds have no wildcards",

	"apply":        hardlyMet,
	"commit":       hardlyMet,
	"answer":       hardlyMet,
	"reopen":       hardlyMet,
	"sync":         hardlyMet,
	"name-sync":    hardlyMet,
	"vote-whole":   hardlyMet,
	"own-tail":     hardlyMet,
	"gap":          hardlyMet,
	"replaced":     hardlyMet,
	"time":         hardlyMet,
	"unknown":      hardlyMet,
	"catch-up":     hardlyMet,
	"ended":        hardlyMet,
	"waiting":      hardlyMet,
	"slow":         "in runs that harm servers no session has to end",
	"seen":         hardlyMet,
	"lost":         "a server that has lost its disk is one of an ensemble there",
	"new-quorum":   hardlyMet,
	"files":        hardlyMet,
	"announce":     "a run judges what was acknowledged, and a late read is none of that",
	"kind":         "raft acts upon an entry of its own a moment before it is synced: nobody sees that",
	"seal":         "the segments are too long for a run to seal many",
	"bound":        "it is an alarm that only damage sets off",
	"order":        "the audit at the start complains of two unsynced batches, which a run hardly loses",
	"vote-sync":    "bbolt's syncs do not go through the disk of a world one by one",
	"entry-sum":    noDamage,
	"snapshot-sum": noDamage,
	"rot":          noDamage,
	"fail-stop":    "a store that goes on behind a failed write ends by another check",
	"heartbeat":    "goroutines of one instant do not race in a bubble as they do on a machine",
	"stranger":     noWipe,
	"incarnation":  noWipe,
	"readable":     hardlyMet,
	"rebuilt":      noDamage,
	"vanished":     noWipe,
	"founding":     "seeds begin when the ensemble has formed",
	"origins":      onlyI8,
	"leader-clock": onlyI8,
	"subtree":      onlyI8,
	"parted":       "seeds harm servers, and what a server heard then is not always told",
	"stall":        "virtual time stops no process",
	"install":      "clients of a server that is so far behind were sent away before",

	"first-clients": "seeds begin when the ensemble has formed",
	"stand-back":    "the servers of a seed are started as one ensemble",
	"second-vote":   noWipe,
	"enfranchise":   noWipe,
	"up-to-date":    noWipe,
}

const (
	hardlyMet = "the dozen seeds that were tried have not met the moment"
	noDamage  = "seeds leave what is durable undamaged"
	noWipe    = "seeds take no server's directory away"
	onlyI8    = "servers notice and stop: I8, that a majority works, is all that fails, and it waits"
)

// fast are those of -mutants.quick.
var fast = []string{"once", "gap", "vote-whole", "entry-sum", "rot", "stall", "ended", "gate", "seen", "zxid", "event-first", "orphans", "undo"}
