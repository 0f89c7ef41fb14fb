package consensus

import "encoding/binary"

// Ahead calls look with up to n of the requests that Next has not returned
// yet, oldest first. They alias the log entry.
func (b *Batch) Ahead(n int, look func(request []byte)) {
	for rest := b.rest; n > 0 && len(rest) > 0; n-- {
		size := int(binary.BigEndian.Uint32(rest))
		look(rest[4 : 4+size])
		rest = rest[4+size:]
	}
}
