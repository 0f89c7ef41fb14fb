package health

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"zkd/consensus"
)

// reachable is the address to dial for one to listen on.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// fourLetters sends a four-letter word.
func fourLetters(ctx context.Context, addr, word string) (string, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(end)
	}
	if _, err := io.WriteString(c, word); err != nil {
		return "", err
	}
	const longest = 1 << 20
	b, err := io.ReadAll(io.LimitReader(c, longest))
	return string(b), err
}

// parseSrvr takes from srvr what a Status has of a server without peers, which
// is its own leader.
func parseSrvr(text string) (s consensus.Status, err error) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Mode":
			s.Role = value
		case "Zxid":
			if s.Zxid, err = strconv.ParseInt(value, 0, 64); err != nil {
				return s, fmt.Errorf("srvr says Zxid: %s", value)
			}
		}
	}
	if s.Role == "" {
		line, _, _ := strings.Cut(text, "\n")
		return s, fmt.Errorf("it says: %.80s", line)
	}
	return s, nil
}
