package znode

// The owner field of a znode as ZooKeeper stores it (EphemeralType):
//
//	0                        persistent
//	0x8000000000000000       container
//	0xff, two zero bytes,
//	five bytes of ms         TTL
//	anything else            ephemeral: the id of its session
const (
	containerOwner int64  = -1 << 63
	ttlMark        uint64 = 0xff << 56
	ttlMask        uint64 = 1<<56 - 1

	// MaxTTL is the longest time to live in ms (EphemeralType.TTL.maxValue).
	MaxTTL int64 = 1<<40 - 1
)

func ttlOwner(ttl int64) int64 { return int64(ttlMark | uint64(ttl)) }

func isTTL(owner int64) bool { return uint64(owner)&^ttlMask == ttlMark }

func ttlOf(owner int64) int64 { return int64(uint64(owner) & ttlMask) }

func isEphemeral(owner int64) bool {
	return owner != 0 && owner != containerOwner && !isTTL(owner)
}
