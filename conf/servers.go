package conf

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// HostPort is an address as the file gives it; nothing is resolved. The zero
// value means that there is none.
type HostPort struct {
	Host string // without the brackets of an IPv6 address
	Port int
}

// IsSet tells whether there is an address.
func (a HostPort) IsSet() bool { return a.Port != 0 }

// String is host:port, with brackets where IPv6 needs them.
func (a HostPort) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Listen is the form for net.Listen. ZooKeeper's wildcard takes both IPv4 and
// IPv6, which Go does for an empty host only.
func (a HostPort) Listen() string {
	if !a.IsSet() {
		return ""
	}
	if isWildcard(a.Host) {
		a.Host = ""
	}
	return a.String()
}

func isWildcard(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

// PeerAddr is one address of a server with its two peer ports.
type PeerAddr struct {
	Host                     string
	QuorumPort, ElectionPort int
}

// Quorum is the address of the first port, Election that of the second.
func (a PeerAddr) Quorum() HostPort   { return HostPort{a.Host, a.QuorumPort} }
func (a PeerAddr) Election() HostPort { return HostPort{a.Host, a.ElectionPort} }

// Server is one server.N line.
type Server struct {
	ID             int64
	Addrs          []PeerAddr // at least one
	Observer       bool
	Client, Secure HostPort // as far as the line has them
}

// String is the value of the line in ZooKeeper's canonical form, as
// /zookeeper/config and dynamic files show it.
func (s Server) String() string {
	var b strings.Builder
	for i, a := range s.Addrs {
		if i > 0 {
			b.WriteByte('|')
		}
		fmt.Fprintf(&b, "%s:%d", a.Quorum(), a.ElectionPort)
	}
	b.WriteString(":" + s.Role())
	if s.Client.IsSet() || s.Secure.IsSet() {
		b.WriteByte(';')
	}
	if s.Client.IsSet() {
		b.WriteString(s.Client.String())
	}
	if s.Secure.IsSet() {
		b.WriteString(";" + s.Secure.String())
	}
	return b.String()
}

// Role is "participant" or "observer".
func (s Server) Role() string {
	if s.Observer {
		return "observer"
	}
	return "participant"
}

// errServerForm is ZooKeeper's sentence about the shape of a server line.
var errServerForm = errors.New("does not have the form server_config or server_config;client_config, where server_config is " +
	"host:port:port or host:port:port:role, several of them separated by |, and client_config is port or host:port, " +
	"optionally followed by ; and the same for TLS")

// ParseServer parses a line of zoo.cfg or of a reconfig request, cut at its '='.
// The errors complete a sentence that begins with the line.
func ParseServer(key, value string) (Server, error) {
	id, err := parseServerID(strings.TrimPrefix(key, "server."))
	if err != nil {
		return Server{}, err
	}
	s := Server{ID: id}
	parts := strings.Split(value, ";")
	if len(parts) > 3 {
		return Server{}, errServerForm
	}
	if err := s.parseAddrs(parts[0]); err != nil {
		return Server{}, err
	}
	if len(parts) > 1 {
		// An empty client part is fine only in front of a secure one.
		if text := trimJava(parts[1]); text != "" || len(parts) == 2 {
			if s.Client, err = parseClient(text); err != nil {
				return Server{}, err
			}
		}
	}
	if len(parts) > 2 {
		if s.Secure, err = parseClient(trimJava(parts[2])); err != nil {
			return Server{}, err
		}
	}
	return s, nil
}

// maxServerID is the largest id that leaves the ephemeralOwner values of TTL
// nodes and containers apart from session ids, which begin with the server id.
const maxServerID = 254

func parseServerID(text string) (int64, error) {
	id, err := strconv.ParseInt(trimJava(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("names no server: %s is not a number", show(text))
	}
	if id < 0 || id > maxServerID+1 {
		return 0, fmt.Errorf("has an id outside 0 to %d", maxServerID)
	}
	return id, nil
}

func (s *Server) parseAddrs(text string) error {
	role := ""
	for one := range strings.SplitSeq(text, "|") {
		addr, thisRole, err := parsePeerAddr(trimJava(one))
		if err != nil {
			return err
		}
		if thisRole != "" {
			if role != "" && role != thisRole {
				return errors.New("gives its addresses different roles")
			}
			role = thisRole
		}
		s.Addrs = append(s.Addrs, addr)
	}
	s.Observer = role == "observer"
	return nil
}

// parsePeerAddr parses host:port:port[:role].
func parsePeerAddr(text string) (PeerAddr, string, error) {
	host, rest, err := cutHost(text)
	if err != nil {
		return PeerAddr{}, "", err
	}
	parts := strings.Split(rest, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return PeerAddr{}, "", errServerForm
	}
	a := PeerAddr{Host: host}
	if a.QuorumPort, err = parsePort(parts[0]); err != nil {
		return PeerAddr{}, "", err
	}
	if a.ElectionPort, err = parsePort(parts[1]); err != nil {
		return PeerAddr{}, "", err
	}
	if a.QuorumPort == a.ElectionPort {
		return PeerAddr{}, "", fmt.Errorf("uses port %d twice: quorum and election port must be different", a.QuorumPort)
	}
	role := ""
	if len(parts) == 3 {
		role = strings.ToLower(trimJava(parts[2]))
		if _, err := checkRole(role, true); err != nil {
			return PeerAddr{}, "", err
		}
	}
	return a, role, nil
}

// parseClient parses [host:]port; ZooKeeper fills in 0.0.0.0.
func parseClient(text string) (HostPort, error) {
	host, portText := "0.0.0.0", text
	if strings.Contains(text, ":") {
		var err error
		if host, portText, err = cutHost(text); err != nil {
			return HostPort{}, err
		}
	}
	if strings.Contains(portText, ":") || portText == "" {
		return HostPort{}, errServerForm
	}
	n, err := parsePort(portText)
	return HostPort{host, n}, err
}

// cutHost takes the host and its colon off the front.
func cutHost(text string) (host, rest string, err error) {
	if inside, ok := strings.CutPrefix(text, "["); ok {
		host, rest, ok = strings.Cut(inside, "]")
		if !ok || !strings.HasPrefix(rest, ":") {
			return "", "", errServerForm
		}
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() {
			return "", "", fmt.Errorf("has no IPv6 address between its brackets: %s", show(host))
		}
		return host, rest[1:], nil
	}
	host, rest, ok := strings.Cut(text, ":")
	if !ok {
		return "", "", errServerForm
	}
	if host = trimJava(host); !hostLike(host) {
		return "", "", fmt.Errorf("has no valid host name: %q", show(host))
	}
	return host, rest, nil
}

func parsePort(text string) (int, error) {
	text = trimJava(text)
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("has the bad port %s; allowed: 1 to 65535", show(text))
	}
	return n, nil
}

// hostLike turns away what can be no host name, without being strict about
// names: container networks use underscores.
func hostLike(host string) bool {
	return host != "" && len(host) <= 255 && !strings.ContainsFunc(host, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\[]|;:,"'=#`, r)
	})
}

// checkHost is the Type check of keys that hold a host alone.
func checkHost(text string, _ bool) (value, error) {
	inside := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if addr, err := netip.ParseAddr(inside); err == nil && (addr.Is6() || inside == text) {
		return value{}, nil
	}
	if !hostLike(text) {
		return value{}, errForm
	}
	return value{}, nil
}

func checkRole(text string, _ bool) (value, error) {
	switch strings.ToLower(text) {
	case "participant", "observer":
		return value{}, nil
	}
	return value{}, fmt.Errorf("has no known role: Unrecognised peertype: %s", show(text))
}
