package store

import (
	"fmt"
	"runtime/debug"
)

// guard turns a panic of a storage library into an error. bbolt trusts the
// pages it maps: on damaged ones it panics, and on a file shorter than its
// mapping the kernel raises a fault, which SetPanicOnFault makes a panic too.
func guard(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return fn()
}
