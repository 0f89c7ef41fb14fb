package jute

// Stat is the record of that name: what a znode's reads return beside data.
type Stat struct {
	Czxid, Mzxid            int64 // transaction that created, last changed the data
	Ctime, Mtime            int64 // their times, ms since the epoch
	Version, Cversion       int32 // of the data, of the child list
	Aversion                int32 // of the ACL
	EphemeralOwner          int64 // session id, 0 unless ephemeral
	DataLength, NumChildren int32
	Pzxid                   int64 // transaction that last changed the child list
}

// StatSize is the length of an encoded Stat.
const StatSize = 68

// AppendStat appends s in the field order of zookeeper.jute.
func AppendStat(dst []byte, s *Stat) []byte {
	dst = AppendInt64(dst, s.Czxid)
	dst = AppendInt64(dst, s.Mzxid)
	dst = AppendInt64(dst, s.Ctime)
	dst = AppendInt64(dst, s.Mtime)
	dst = AppendInt32(dst, s.Version)
	dst = AppendInt32(dst, s.Cversion)
	dst = AppendInt32(dst, s.Aversion)
	dst = AppendInt64(dst, s.EphemeralOwner)
	dst = AppendInt32(dst, s.DataLength)
	dst = AppendInt32(dst, s.NumChildren)
	return AppendInt64(dst, s.Pzxid)
}

// DecodeStat reads a Stat.
func DecodeStat(r *Reader) (s Stat) {
	s.Czxid, s.Mzxid = r.Int64(), r.Int64()
	s.Ctime, s.Mtime = r.Int64(), r.Int64()
	s.Version, s.Cversion, s.Aversion = r.Int32(), r.Int32(), r.Int32()
	s.EphemeralOwner = r.Int64()
	s.DataLength, s.NumChildren = r.Int32(), r.Int32()
	s.Pzxid = r.Int64()
	return s
}
