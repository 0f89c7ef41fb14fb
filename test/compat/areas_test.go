package compat

var areas = []Area{
	{"handshake", handshakeCases},
	{"framing", framingCases},
	{"auth", authCases},
	{"nodes", nodeCases},
	{"paths", pathCases},
	{"acl", aclCases},
	{"multi", multiCases},
	{"sequence", sequenceCases},
	{"ephemeral", ephemeralCases},
	{"container", containerCases},
	{"quota", quotaCases},
	{"reads", readCases},
	{"watches", watchCases},
	{"setwatches", setWatchesCases},
	{"sessions", sessionCases},
	{"words", wordCases},
	{"races", raceCases},
	{"random", randomCases},
}
