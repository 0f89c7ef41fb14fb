package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"zkd/server"
)

// Witnessed reads the file in which the processes of one server write down what they apply: zkd with the build tag
// "witness", ZKD_WITNESS. It follows the file as it grows, and gives the disk back what it has read.
type Witnessed struct {
	path   string
	server string
	seq    *Sequence
	stream *Stream // of the process that has written last
	at     int64
	freed  int64
}

// NewWitnessed returns a reader that has read nothing yet. The file need not exist.
func NewWitnessed(seq *Sequence, server, path string) *Witnessed {
	return &Witnessed{path: path, server: server, seq: seq}
}

// freeEvery is how many bytes are given back at a time.
const freeEvery = 4 << 20

// Read takes in what has been written since.
func (w *Witnessed) Read() error {
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := w.follow(f); err != nil {
		return fmt.Errorf("oracle: %s at %d: %w", w.path, w.at, err)
	}
	if n := (w.at - w.freed) / freeEvery * freeEvery; n > 0 {
		// Where the file system cannot, the file stays as long as it is.
		if punchHole(f, w.freed, n) == nil {
			w.freed += n
		}
	}
	return nil
}

// follow takes in the complete lines from w.at on.
func (w *Witnessed) follow(f *os.File) error {
	b := make([]byte, 1<<20)
	for have := 0; ; {
		n, err := f.ReadAt(b[have:], w.at+int64(have))
		have += n
		rest := b[:have]
		for {
			line, after, ok := bytes.Cut(rest, []byte{'\n'})
			if !ok {
				break
			}
			if err := w.line(line); err != nil {
				return err
			}
			w.at += int64(len(line)) + 1
			rest = after
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(rest) == len(b) {
			b = append(b, make([]byte, len(b))...)
		}
		have = copy(b, rest)
	}
}

// began is the line that a process writes first.
var began = []byte(`{"Began":true}`)

func (w *Witnessed) line(line []byte) error {
	if bytes.HasSuffix(line, began) { // there may be half a line of a killed process in front of it
		w.stream = w.seq.Stream(w.server)
		return nil
	}
	var l struct {
		Applied  *server.Applied
		Restored *int64
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return err
	}
	switch {
	case w.stream == nil:
		return errors.New("the file does not say which process it is of")
	case l.Applied != nil:
		w.stream.Applied(l.Applied)
	case l.Restored != nil:
		w.stream.Restored(*l.Restored)
	default:
		return errors.New("a line that says nothing")
	}
	return nil
}
