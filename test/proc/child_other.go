//go:build !linux

package proc

import "syscall"

// Child is nothing special here: only Linux ends a process together with the one that started it.
func Child() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
