package jute

import "fmt"

// Code is an error code of the protocol (KeeperException.Code). The numbers
// are ZooKeeper's; clients fail on any that they do not know, so none is ever
// made up. Code is an error so that domain packages can return it; OK never
// is one, compare with it instead of with nil.
type Code int32

// The codes that a server sends.
const (
	OK                      Code = 0
	ErrRuntimeInconsistency Code = -2
	ErrMarshalling          Code = -5
	ErrUnimplemented        Code = -6
	ErrBadArguments         Code = -8
	ErrUnknownSession       Code = -12
	ErrNewConfigNoQuorum    Code = -13
	ErrReconfigInProgress   Code = -14
	ErrNoNode               Code = -101
	ErrNoAuth               Code = -102
	ErrBadVersion           Code = -103
	ErrNoChildrenForEph     Code = -108
	ErrNodeExists           Code = -110
	ErrNotEmpty             Code = -111
	ErrSessionExpired       Code = -112
	ErrInvalidACL           Code = -114
	ErrAuthFailed           Code = -115
	ErrSessionMoved         Code = -118
	ErrNotReadOnly          Code = -119
	ErrEphOnLocalSession    Code = -120
	ErrNoWatcher            Code = -121
	ErrReconfigDisabled     Code = -123
	ErrSessionClosedAuth    Code = -124
	ErrQuotaExceeded        Code = -125
	ErrThrottledOp          Code = -127
)

var codeNames = map[Code]string{
	OK:                      "OK",
	ErrRuntimeInconsistency: "RuntimeInconsistency",
	ErrMarshalling:          "MarshallingError",
	ErrUnimplemented:        "Unimplemented",
	ErrBadArguments:         "BadArguments",
	ErrUnknownSession:       "UnknownSession",
	ErrNewConfigNoQuorum:    "NewConfigNoQuorum",
	ErrReconfigInProgress:   "ReconfigInProgress",
	ErrNoNode:               "NoNode",
	ErrNoAuth:               "NoAuth",
	ErrBadVersion:           "BadVersion",
	ErrNoChildrenForEph:     "NoChildrenForEphemerals",
	ErrNodeExists:           "NodeExists",
	ErrNotEmpty:             "NotEmpty",
	ErrSessionExpired:       "SessionExpired",
	ErrInvalidACL:           "InvalidACL",
	ErrAuthFailed:           "AuthFailed",
	ErrSessionMoved:         "SessionMoved",
	ErrNotReadOnly:          "NotReadOnly",
	ErrEphOnLocalSession:    "EphemeralOnLocalSession",
	ErrNoWatcher:            "NoWatcher",
	ErrReconfigDisabled:     "ReconfigDisabled",
	ErrSessionClosedAuth:    "SessionClosedRequireSaslAuth",
	ErrQuotaExceeded:        "QuotaExceeded",
	ErrThrottledOp:          "ThrottledOp",
}

// Error returns ZooKeeper's name of the code.
func (c Code) Error() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("Code(%d)", int32(c))
}
