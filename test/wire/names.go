package wire

import "fmt"

// Op is a request type as it stands in the request header.
type Op int32

// The request types of ZooKeeper 3.9, and the two a client must not send.
const (
	OpCreateSession     Op = -10
	OpClose             Op = -11
	OpCreate            Op = 1
	OpDelete            Op = 2
	OpExists            Op = 3
	OpGetData           Op = 4
	OpSetData           Op = 5
	OpGetACL            Op = 6
	OpSetACL            Op = 7
	OpGetChildren       Op = 8
	OpSync              Op = 9
	OpPing              Op = 11
	OpGetChildren2      Op = 12
	OpCheck             Op = 13
	OpMulti             Op = 14
	OpCreate2           Op = 15
	OpReconfig          Op = 16
	OpCheckWatches      Op = 17
	OpRemoveWatches     Op = 18
	OpCreateContainer   Op = 19
	OpDeleteContainer   Op = 20
	OpCreateTTL         Op = 21
	OpMultiRead         Op = 22
	OpAuth              Op = 100
	OpSetWatches        Op = 101
	OpSASL              Op = 102
	OpGetEphemerals     Op = 103
	OpAllChildrenNumber Op = 104
	OpSetWatches2       Op = 105
	OpAddWatch          Op = 106
	OpWhoAmI            Op = 107
)

// Takes reports whether the server orders this request among the writes, and so may take a zxid for it.
func (op Op) Takes() bool {
	switch op {
	case OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL, OpDelete, OpDeleteContainer, OpSetData, OpSetACL,
		OpMulti, OpReconfig, OpClose:
		return true
	}
	return false
}

// Code is the err field of a reply header or of a multi result.
type Code int32

var codeNames = map[Code]string{
	0:    "ok",
	-2:   "RuntimeInconsistency",
	-5:   "MarshallingError",
	-6:   "Unimplemented",
	-8:   "BadArguments",
	-12:  "UnknownSession",
	-13:  "NewConfigNoQuorum",
	-14:  "ReconfigInProgress",
	-101: "NoNode",
	-102: "NoAuth",
	-103: "BadVersion",
	-108: "NoChildrenForEphemerals",
	-110: "NodeExists",
	-111: "NotEmpty",
	-112: "SessionExpired",
	-114: "InvalidACL",
	-115: "AuthFailed",
	-118: "SessionMoved",
	-119: "NotReadOnly",
	-120: "EphemeralOnLocalSession",
	-121: "NoWatcher",
	-123: "ReconfigDisabled",
	-124: "SessionClosedRequireSaslAuth",
	-125: "QuotaExceeded",
	-127: "ThrottledOp",
}

func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("code(%d)", int32(c))
}

// EventType is the type field of a notification.
type EventType int32

func (t EventType) String() string {
	switch t {
	case 1:
		return "NodeCreated"
	case 2:
		return "NodeDeleted"
	case 3:
		return "NodeDataChanged"
	case 4:
		return "NodeChildrenChanged"
	}
	return fmt.Sprintf("event(%d)", int32(t))
}
