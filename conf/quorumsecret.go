package conf

import (
	"errors"
	"io/fs"
	"strings"
)

// shortestSecret is the length from which a shared secret cannot be guessed by
// trying.
const shortestSecret = 16

// setQuorumSecret reads what the servers of an ensemble know and others do not.
// No finding shows the value: who mistakes the key for the secret itself has
// written that there.
func (l *loader) setQuorumSecret() {
	s := l.get("zkd.quorum.secretFile")
	if s == nil {
		return
	}
	data, err := l.readFile(s.text)
	switch text := strings.TrimSpace(string(data)); {
	case errors.Is(err, fs.ErrNotExist):
		l.cause = err
		l.reject(s, "zkd.quorum.secretFile: the file is missing")
	case err != nil:
		l.cause = err
		l.reject(s, "zkd.quorum.secretFile: the file cannot be read: %v", pathless(err))
	case text == "":
		l.reject(s, "zkd.quorum.secretFile: the file is empty")
	case len(text) < shortestSecret:
		l.reject(s, "zkd.quorum.secretFile: the secret has %d bytes; at least %d are needed", len(text), shortestSecret)
	default:
		l.cfg.QuorumSecret = NewSecret(text)
	}
}
