package mutants

// check is some tests of a package, as a regular expression of their names,
// that are to fail when a mutant is built in.
type check struct{ pkg, run string }

// caught has, for each mutant, the tests that catch it.
var caught = map[string][]check{
	"apply":  {{"consensus", "TestNothingIsKnownBeforeTheLeaderHasIt"}},
	"commit": {{"consensus", "TestNothingIsKnownBeforeTheLeaderHasIt"}},
	"answer": {{"consensus", "TestFormerLeaderConfirmsWhatItHas"}},
	"reopen": {{"consensus", "TestKilledThenPowerFails"}},
	"kind":   {{"consensus/store", "TestOnlyRequestsAreSyncedBehind"}},
	"seal":   {{"consensus/store", "TestSealingIsNotLeftBehind"}},
	"sync":   {{"consensus/store", "TestSyncComesBehind"}, {"consensus", "TestAcknowledgedIsOnTheLeadersDisk"}},
	"bound":  {{"consensus/store", "TestBoundWaitsForTheSync"}},
	"order":  {{"consensus/store", "TestOneBatchIsUnsynced"}},

	"vote-sync":    {{"consensus/store", "TestVoteIsSynced"}},
	"vote-whole":   {{"consensus/store", "TestStableVoteIsAtomic"}},
	"entry-sum":    {{"consensus/store", "TestRotWhileRunning"}},
	"snapshot-sum": {{"consensus/store", "TestSnapshotRotEveryByte"}},
	"rot":          {{"consensus/store", "TestRotEveryByte"}},
	"fail-stop":    {{"consensus/store", "TestLogFailStop"}},
	"name-sync":    {{"consensus/store", "TestSnapshot.*|TestInstall.*"}},

	"heartbeat":   {{"consensus/peer", "TestHeartbeatsGoTheWayOfAllRequests"}},
	"own-tail":    {{"consensus", "TestHeldCommits"}},
	"stranger":    {{"consensus/peer", "TestHello"}},
	"incarnation": {{"consensus", "TestLaterIDs"}, {"consensus", "TestBlankServerReturns"}},
	"once":        {{"consensus", "TestEachRequestIsAppliedOnce"}},
	"gap":         {{"consensus", "TestEachRequestIsAppliedOnce"}},
	"replaced":    {{"consensus", "TestEachRequestIsAppliedOnce"}},
	"origins":     {{"consensus", "TestStateRoundTrip"}},
	"time":        {{"consensus", "TestTimeNeverGoesBack"}},

	"timeout":     {{"session", "TestExpiresAfterItsTimeoutAndWithinATick"}},
	"stall":       {{"session", "TestStalledServerGivesTheTimeBack"}},
	"fresh-clock": {{"server", "TestTrackedSessions"}},
	"relay":       {{"server", "TestReported"}},
	"waiting":     {{"server", "TestNoExpiryWhileTheLogIsSlow"}},
	"deposed":     {{"server", "TestExpiryOfADeposedLeader"}},
	"generation":  {{"server", "TestFarewellOverAnOldConnection"}, {"server", "TestParkedOnAMovedSession"}},
	"ended":       {{"server", "TestRequestsOfAnEndedSession"}},
	"elsewhere":   {{"server", "TestMoveAway"}},
	"unknown":     {{"server", "TestUnknownSessionIsLookedFor"}},
	"orphans":     {{"znode", "TestLoadGivesTheTreeBack|TestRandomOperationsAgainstModel"}},

	"gate":         {{"server", "TestGateCloses"}, {"server", "TestNoAnswerAfterAPause"}},
	"catch-up":     {{"server", "TestGateOpensBehindASync"}},
	"seen":         {{"server", "TestClientThatHasSeenMore"}},
	"sync-log":     {{"server", "TestSyncIsInTheLog"}},
	"committed":    {{"server", "TestPipelinesKeepOrder|TestAnsweredReadsDoNotWaitForTheWrite"}},
	"own-writes":   {{"server", "TestReadsInTheirPlace"}},
	"parked-order": {{"server", "TestReadsInTheirPlace"}},
	"zxid":         {{"server", "TestReplyHasTheZxidOfItsState"}},
	"event-first":  {{"server", "TestEventBeforeTheReplyToItsCause"}},
	"each-watcher": {{"watch", "TestManyWatchersOfOnePath|TestRandomAgainstReference"}},
	"close-events": {{"server", "TestExpiry"}},
	"recursive":    {{"watch", "TestSteps|TestPersistentThroughALife"}},
	"missed":       {{"server", "TestWatchesAfterRestart"}},
	"install":      {{"server", "TestInstalledSnapshotDropsClients"}},

	"leader-clock": {{"server", "TestRestartShowsTheSame"}},
	"subtree":      {{"znode", "TestLoadGivesTheTreeBack"}},
	"undo":         {{"znode", "TestMulti|TestRollbackRestoresTheDigest"}},
}

// fast are those of -mutants.quick.
var fast = []string{"once"}
