// Package oracle judges a run of zkd: it compares what clients were told (History) with what the servers say was
// committed (Sequence), through a model of the tree that shares no code with zkd's. No search is needed, since the
// committed sequence says in which order everything happened.
//
// Each check has the name of the promise it is about. It starts nothing, has no clock, and knows neither processes nor
// networks: simulations, tests with real processes and long runs feed it alike.
package oracle
