//go:build !linux

package progress

// Count can tell nothing: what such systems count differs from one to the next.
func (socket) Count() (s Sample, ok bool) { return s, false }
