package soak

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

const inside = "ZKD_SOAK_INSIDE"

// Reexec runs this program again in a mount namespace of its own and returns its exit code, unless this is that one
// already, or nobody who may: then ok is false. Whatever happens to the program, no mount is left behind.
func Reexec() (code int, ok bool) {
	if os.Getenv(inside) != "" || os.Geteuid() != 0 {
		return 0, false
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL, Setpgid: true}
	// Signals of a terminal come here alone, since the other is in a group of its own, and are handed on once.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, false
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return max(exit.ExitCode(), 1), true
			}
			if err != nil {
				return 1, true
			}
			return 0, true
		}
	}
}
