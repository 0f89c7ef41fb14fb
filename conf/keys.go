package conf

import (
	"slices"
	"strings"
)

// Stance is what zkd makes of a key.
type Stance int

const (
	Unknown         Stance = iota // no such key, neither in ZooKeeper nor here
	Honoured                      // as in ZooKeeper
	HonouredChanged               // honoured, with the difference told in Reason
	Ignored                       // without effect, for the reason given
	Refused                       // an error, for the reason given
	Overridden                    // a -D property that loses to the file or to a later -D
)

func (s Stance) String() string {
	return [...]string{"unknown", "honoured", "honoured with change", "ignored", "refused", "overridden"}[s]
}

// Key describes one key of zoo.cfg. A Name ending in ".*" stands for a family.
type Key struct {
	Name    string
	Prop    string // the JVM property; "" is "zookeeper."+Name, own the file only
	Type    Type
	Default string // "" for none
	Stance  Stance
	Reason  string
	Doc     string

	secret bool // the value is never shown
	hush   bool // ignored without a notice

	// bind stores a parsed value; nil when another step reads the setting.
	bind func(*Config, value)
	// adjust corrects a value that ZooKeeper corrects too, and says so.
	adjust func(*value) (warning string)
	// refuse runs when all keys are bound; a text means the value is an error.
	refuse func(*Config, string) (reason string)
}

// own marks the keys that ZooKeeper parses itself and only from the file.
const own = "own"

// keyTable is every key zkd knows, in the order of the reference.
var keyTable = slices.Concat(
	coreKeys, sessionKeys, storageKeys, treeKeys, ensembleKeys, loadKeys,
	authKeys, tlsKeys(), adminKeys, metricsKeys, zkdKeys, foreignKeys,
)

// Keys returns a copy of the table, for documents and for the command line.
func Keys() []Key { return slices.Clone(keyTable) }

// keyIndex finds a row by its exact name; families are looked for by prefix.
var keyIndex, keyFamilies = indexKeys(keyTable)

func indexKeys(table []Key) (map[string]*Key, []*Key) {
	index := make(map[string]*Key, len(table))
	var families []*Key
	for i := range table {
		k := &table[i]
		if _, twice := index[k.Name]; twice {
			panic("conf: key table lists " + k.Name + " twice")
		}
		index[k.Name] = k
		if strings.HasSuffix(k.Name, "*") {
			families = append(families, k)
		}
	}
	return index, families
}

// lookup finds the row for a name without the "zookeeper." prefix.
func lookup(name string) *Key {
	if k := keyIndex[name]; k != nil && !strings.HasSuffix(name, "*") {
		return k
	}
	for _, k := range keyFamilies {
		if strings.HasPrefix(name, strings.TrimSuffix(k.Name, "*")) {
			return k
		}
	}
	return nil
}

// bare tells whether the key's property has no "zookeeper." in front.
func (k *Key) bare() bool { return k.Prop != "" && k.Prop != own }

// resolve finds the row and the plain name for a key as it was written.
func resolve(written string) (k *Key, name string, prefixed bool) {
	if k := lookup(written); k != nil {
		return k, written, false
	}
	if name, ok := strings.CutPrefix(written, "zookeeper."); ok {
		if k := lookup(name); k != nil {
			return k, name, true
		}
	}
	return nil, written, false
}

// deadNames are names that ZooKeeper's manual prints and its code never reads,
// with the one it does read.
var deadNames = map[string]string{
	"requestThrottleLimit":        "request_throttle_max_requests",
	"requestThrottleStallTime":    "request_throttle_stall_time",
	"requestThrottleDropStale":    "request_throttle_drop_stale",
	"requestStaleLatencyCheck":    "request_stale_latency_check",
	"requestStaleConnectionCheck": "request_stale_connection_check",
	"throttledOpWaitTime":         "throttled_op_wait_time",
	"connectionMaxTokens":         "connection_throttle_tokens",
	"connectionTokenFillTime":     "connection_throttle_fill_time",
	"connectionTokenFillCount":    "connection_throttle_fill_count",
	"connectionFreezeTime":        "connection_throttle_freeze_time",
	"connectionDropIncrease":      "connection_throttle_drop_increase",
	"connectionDropDecrease":      "connection_throttle_drop_decrease",
	"connectionDecreaseRatio":     "connection_throttle_decrease_ratio",
	"maxConcurrentSnapSyncs":      "leader.maxConcurrentSnapSyncs",
	"maxTimeToWaitForEpoch":       "leader.maxTimeToWaitForEpoch",
	"advancedFlowControlEnabled":  "netty.advancedFlowControl.enabled",
	"outstandingHandshake.limit":  "netty.server.outstandingHandshake.limit",
}

// Reasons that many ignored keys share.
const (
	javaPart     = "it tunes a Java part that zkd does not have"
	zabPart      = "it tunes ZooKeeper's own agreement protocol; zkd runs raft"
	storesItself = "zkd's log store decides this itself"
	watchPart    = "zkd has one watch table"
	nodelayPart  = "zkd always sets TCP_NODELAY"
	stalePart    = "a request goes into the log as soon as it is read, so none waits long enough to get stale"
	throttlePart = "only the token bucket (tokens, fill_time, fill_count) is built"
)

// ignore makes rows that share type-less fields; it keeps long lists readable.
func ignore(reason string, rows ...Key) []Key {
	for i := range rows {
		rows[i].Stance, rows[i].Reason = Ignored, reason
	}
	return rows
}
