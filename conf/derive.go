package conf

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// setDirs checks the directories as far as text can tell.
func (l *loader) setDirs() {
	if !l.given("dataDir") {
		l.fail(origin{file: l.cfg.File}, "dataDir is not set")
	}
	if l.get("dataLogDir") == nil {
		l.cfg.DataLogDir = l.cfg.DataDir
	}
	for _, name := range []string{"dataDir", "dataLogDir"} {
		if s := l.get(name); s != nil && s.rank > rankDefault && !s.direct {
			l.checkDir(s)
		}
	}
	if l.get("jute.maxbuffer.extrasize") == nil {
		l.cfg.JuteMaxBufferExtraSize = max(l.cfg.JuteMaxBuffer, 1024)
	}
	admin := HostPort{l.value("admin.serverAddress").text, int(l.value("admin.serverPort").n)}
	l.cfg.Admin.Addr = admin.Listen()
}

// checkDir remarks on a path that is most likely not where its writer believes.
func (l *loader) checkDir(s *setting) {
	name := showName(s.name)
	switch {
	case strings.HasPrefix(s.text, "~") || strings.Contains(s.text, "${"):
		l.warn(s.at, "%s=%s is taken literally: zoo.cfg knows neither ~ nor ${…}", name, s.shown())
	case filepath.IsAbs(s.text):
	case windowsPath(s.text):
		l.warn(s.at, "%s=%s looks like a path of Windows; here it is one below the directory that zkd is started in "+
			"(and \\ in zoo.cfg makes something else of the next letter)", name, s.shown())
	default:
		l.warn(s.at, "%s=%s is relative: its place depends on the directory that zkd is started in; write the whole path", name, s.shown())
	}
}

// windowsPath tells whether a path begins with a drive or a share.
func windowsPath(path string) bool {
	drive := len(path) > 1 && path[1] == ':' && (path[0]|0x20 >= 'a' && path[0]|0x20 <= 'z')
	return drive || strings.HasPrefix(path, `\`)
}

// The bounds of session timeouts, in ticks, where nothing else is said.
const minSessionTicks, maxSessionTicks = 2, 20

// setSessions derives the bounds of session timeouts from the tick.
func (l *loader) setSessions() {
	minimum, maximum := l.settings["minSessionTimeout"], l.settings["maxSessionTimeout"]
	l.cfg.MinSessionTimeout = l.sessionBound(minimum, l.cfg.MinSessionTimeout, minSessionTicks)
	l.cfg.MaxSessionTimeout = l.sessionBound(maximum, l.cfg.MaxSessionTimeout, maxSessionTicks)
	for _, s := range []*setting{minimum, maximum, l.settings["tickTime"]} {
		if s != nil && s.bad {
			return // the comparison would speak of values nobody wrote
		}
	}
	if l.cfg.MinSessionTimeout > l.cfg.MaxSessionTimeout {
		at := origin{file: l.cfg.File}
		if maximum != nil {
			at = maximum.at
		}
		if minimum != nil {
			at = minimum.at
		}
		l.fail(at, "minSessionTimeout must not be larger than maxSessionTimeout (%d and %d ms)",
			l.cfg.MinSessionTimeout.Milliseconds(), l.cfg.MaxSessionTimeout.Milliseconds())
	}
}

func (l *loader) sessionBound(s *setting, bound time.Duration, ticks int) time.Duration {
	if s != nil && !s.bad && s.v.n == 0 {
		l.reject(s, "%s must be at least 1, not 0; allowed: %s, -1 for %d ticks", s.name, s.key.Type.Allowed, ticks)
	}
	if bound < 0 {
		return time.Duration(ticks) * l.cfg.TickTime
	}
	return bound
}

// setListeners joins ports and addresses of the static file with those of this
// server's own line.
func (l *loader) setListeners() {
	var self Server
	if s := l.cfg.Self(); s != nil {
		self = *s
	}
	l.cfg.ClientAddr = l.listener("clientPort", self.Client)
	l.cfg.SecureClientAddr = l.listener("secureClientPort", self.Secure)
	if l.cfg.ClientAddr == "" && l.cfg.SecureClientAddr == "" && !l.badPort() && !l.perhapsInLine() {
		how := "clientPort=2181 is the usual one"
		if l.image {
			how = "put ;2181 behind this server's line in " + varServers + ", or clientPort=2181 into " + varExtra
		}
		l.fail(origin{file: l.cfg.File}, "no client port is set: %s", how)
	}
}

// perhapsInLine tells whether this server's line may have a client port: some
// line has one, and nobody knows which is its own, which was said already.
func (l *loader) perhapsInLine() bool {
	return l.cfg.Self() == nil && slices.ContainsFunc(l.cfg.Servers, func(s Server) bool { return s.Client.IsSet() || s.Secure.IsSet() })
}

func (l *loader) badPort() bool {
	for _, name := range []string{"clientPort", "clientPortAddress", "secureClientPort", "secureClientPortAddress"} {
		if s := l.settings[name]; s != nil && s.bad {
			return true
		}
	}
	return false
}

// listener works out one client address; name is the key of its port.
func (l *loader) listener(name string, line HostPort) string {
	static := HostPort{Port: int(l.value(name).n)}
	host := l.get(name + "Address")
	if host != nil {
		static.Host = strings.Trim(host.text, "[]")
	}
	switch {
	case static.IsSet():
	case host != nil && !l.badPort():
		l.reject(host, "%sAddress is set but %s is not set", name, name)
		return ""
	default:
		return line.Listen()
	}
	if !line.IsSet() {
		return static.Listen()
	}
	// The static wildcard covers the host of the line, which is narrower.
	if static.Port != line.Port || !isWildcard(static.Host) && !strings.EqualFold(static.Host, line.Host) {
		l.differentClient(name, static, line)
	}
	return line.Listen()
}

// differentClient is about an address that zoo.cfg and this server's own line
// do not have alike. ZooKeeper takes the keys out of zoo.cfg when a reconfig
// gives the line an address; zkd leaves them, so they may be of before that.
func (l *loader) differentClient(name string, static, line HostPort) {
	at := l.get(name).at
	if l.followed {
		l.warn(at, "%s: %s is not the client address that the ensemble has agreed on for server %d, which counts: %s; remove the key",
			showName(name), static, l.cfg.ServerID, line)
		return
	}
	l.fail(at, "%s says that clients of this server connect to %s, and the line of this server (%s) says %s; leave %s out, or make them equal",
		name, static, l.ownLine(), line, name)
}

// ownLine says where this server's line is.
func (l *loader) ownLine() string {
	for _, s := range l.family("server.*") {
		if server, err := ParseServer(s.name, s.text); err == nil && server.ID == l.cfg.ServerID {
			return s.at.String()
		}
	}
	return ""
}

// secureSetting is what opens the TLS port: its key, or a server line.
func (l *loader) secureSetting() *setting {
	if s := l.get("secureClientPort"); s != nil && s.v.n != 0 {
		return s
	}
	for _, s := range l.family("server.*") {
		if server, err := ParseServer(s.name, s.text); err == nil && server.Secure.IsSet() {
			return s
		}
	}
	return nil
}
