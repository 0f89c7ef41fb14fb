//go:build amd64 || arm64

package znode

import "unsafe"

// prefetch has the processor fetch the cache line at p, without waiting for it.
//
//go:noescape
func prefetch(p unsafe.Pointer)
