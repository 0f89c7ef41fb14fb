package server

import (
	"encoding/binary"
	"fmt"
	"io"

	"zkd/consensus"
	"zkd/digest"
	"zkd/proto/jute"
	"zkd/server/member"
)

// membership is what the state knows of the ensemble: who belongs to it, and
// the change of that which is under way. /zookeeper/config shows it, but is not
// where it is kept: the superuser may write anything there.
type membership struct {
	servers member.List // none while this was never an ensemble
	version int64       // zxid that /zookeeper/config has for them
	// wanted is what servers is to become, none while no reconfiguration is
	// under way. change is its number; each is larger than the one before.
	wanted member.List
	change int64

	shown *consensus.Membership // see show
	sum   uint64                // digest of the image
}

// changed must follow every change.
func (m *membership) changed() {
	m.shown, m.sum = nil, membersDigest(m.appendImage(nil))
}

func membersDigest(image []byte) uint64 { return digest.Bytes(0, image) }

// show returns the membership for package consensus: a new pointer if, and
// only if, something has changed since.
func (m *membership) show() *consensus.Membership {
	if m.servers == nil {
		return nil
	}
	if m.shown == nil {
		m.shown = &consensus.Membership{Current: peers(m.servers), Version: uint64(m.version)}
		if m.wanted != nil {
			m.shown.Wanted, m.shown.Version = peers(m.wanted), uint64(m.change)
		}
	}
	return m.shown
}

// set makes a list the current one. Nothing is under way then.
func (m *membership) set(servers member.List, version int64) {
	*m = membership{servers: servers, version: version}
	m.changed()
}

// want begins a change, the zero list ends it.
func (m *membership) want(wanted member.List, change int64) {
	m.wanted, m.change = wanted, change
	m.changed()
}

// The image of a membership, big-endian: i64 version, ustring servers, i64
// change, ustring wanted; the lists are empty texts where there are none.
func (m *membership) appendImage(dst []byte) []byte {
	dst = jute.AppendInt64(dst, m.version)
	dst = jute.AppendString(dst, m.servers.String())
	dst = jute.AppendInt64(dst, m.change)
	return jute.AppendString(dst, m.wanted.String())
}

// longestMembership bounds what is read as the image of one.
const longestMembership = 1 << 20

// loadMembership reads an image.
func loadMembership(r io.Reader) (m membership, err error) {
	if m.version, m.servers, err = loadVersioned(r); err == nil {
		m.change, m.wanted, err = loadVersioned(r)
	}
	if err != nil {
		return membership{}, fmt.Errorf("server: read the members: %w", err)
	}
	m.changed()
	return m, nil
}

func loadVersioned(r io.Reader) (version int64, l member.List, err error) {
	var b [12]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(b[8:])
	if n > longestMembership {
		return 0, nil, fmt.Errorf("a list of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return 0, nil, err
	}
	l, err = member.Parse(string(text))
	return int64(binary.BigEndian.Uint64(b[:])), l, err
}
