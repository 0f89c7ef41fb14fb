package soak

import (
	"fmt"
	"os"
	"os/exec"
	"sync"

	"zkd/test/ensemble"
	"zkd/test/oracle"
)

// listener hears what the processes of servers apply, each over a pipe, and hands it to the sequence. What a process
// had written when it was killed is heard.
type listener struct {
	r        *run
	sequence *oracle.Sequence
	heard    sync.WaitGroup
}

// starting is ensemble.Options.Starting.
func (l *listener) starting(s *ensemble.Server, cmd *exec.Cmd) {
	read, write, err := os.Pipe()
	if err != nil {
		l.r.Fatal(err)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, write)
	cmd.Env = append(os.Environ(), fmt.Sprintf("ZKD_WITNESS=/dev/fd/%d", 2+len(cmd.ExtraFiles)))
	l.heard.Go(func() {
		defer read.Close()
		if err := l.sequence.Hear(s.String(), read); err != nil {
			l.r.Error(err)
		}
	})
}
