//go:build witness

package main

import (
	"encoding/json"
	"fmt"
	"os"

	"zkd/server"
)

// world is the real machine, with a witness that writes everything that is
// applied into the file that ZKD_WITNESS names, in JSON, a line each. A line is
// written before anybody can be told of what it says; one that says only that a
// server begins comes first, since one process may start several.
func world() (server.World, error) {
	name := os.Getenv("ZKD_WITNESS")
	if name == "" {
		return server.World{}, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return server.World{}, fmt.Errorf("ZKD_WITNESS: %w", err)
	}
	w := &witness{json.NewEncoder(f)}
	w.write(testimony{Began: true})
	return server.World{Witness: w}, nil
}

// testimony is a line; one of its fields is set.
type testimony struct {
	Began    bool            `json:",omitempty"`
	Restored *int64          `json:",omitempty"`
	Applied  *server.Applied `json:",omitempty"`
}

type witness struct{ to *json.Encoder }

// Applied implements server.Witness.
func (w *witness) Applied(a *server.Applied) { w.write(testimony{Applied: a}) }

// Restored implements server.Witness.
func (w *witness) Restored(zxid int64) { w.write(testimony{Restored: &zxid}) }

// write ends the process if it cannot: a gap would look like a server that has
// lost something.
func (w *witness) write(t testimony) {
	if err := w.to.Encode(t); err != nil {
		panic(fmt.Sprintf("zkd: ZKD_WITNESS: %v", err))
	}
}
