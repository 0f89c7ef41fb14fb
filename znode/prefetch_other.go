//go:build !amd64 && !arm64

package znode

import "unsafe"

// prefetch does nothing where nobody has written it.
func prefetch(unsafe.Pointer) {}
