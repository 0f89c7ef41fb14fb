package proc

import "syscall"

// Child has a process that a test starts killed when the test dies, however it does (PR_SET_PDEATHSIG).
func Child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
