package oracle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Hear takes in what the processes of a server write, as Witnessed does, from a pipe, until it ends. A line that is not
// whole then was being written when the process was killed.
func (s *Sequence) Hear(server string, from io.Reader) error {
	w := NewWitnessed(s, server, "")
	for lines := bufio.NewReader(from); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = w.line(line[:len(line)-1])
		}
		if err != nil {
			return fmt.Errorf("oracle: what %s says: %w", server, err)
		}
	}
}
