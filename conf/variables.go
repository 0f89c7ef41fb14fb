package conf

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Variable is an environment variable of the official container image: the line
// of zoo.cfg that its entrypoint makes of it where there is no zoo.cfg
// (31z4/zookeeper-docker, docker-entrypoint.sh).
type Variable struct {
	Name, Key string
	Default   string // of the image
}

// imageVariables in the order of the entrypoint. ZOO_SERVERS, ZOO_CFG_EXTRA and
// ZOO_MY_ID are no single lines.
var imageVariables = []Variable{
	{"ZOO_DATA_DIR", "dataDir", "/data"},
	{"ZOO_DATA_LOG_DIR", "dataLogDir", "/datalog"},
	{"ZOO_TICK_TIME", "tickTime", "2000"},
	{"ZOO_INIT_LIMIT", "initLimit", "5"},
	{"ZOO_SYNC_LIMIT", "syncLimit", "2"},
	{"ZOO_AUTOPURGE_SNAPRETAINCOUNT", "autopurge.snapRetainCount", "3"},
	{"ZOO_AUTOPURGE_PURGEINTERVAL", "autopurge.purgeInterval", "0"},
	{"ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns", "60"},
	{"ZOO_STANDALONE_ENABLED", "standaloneEnabled", "true"},
	{"ZOO_ADMINSERVER_ENABLED", "admin.enableServer", "true"},
	{"ZOO_4LW_COMMANDS_WHITELIST", "4lw.commands.whitelist", ""},
}

const (
	varServers = "ZOO_SERVERS"
	varExtra   = "ZOO_CFG_EXTRA"
	varMyID    = "ZOO_MY_ID"
)

// imageServers is what the image takes for an empty ZOO_SERVERS.
const imageServers = "server.1=localhost:2888:3888;2181"

// Variables returns a copy of the table, for documents.
func Variables() []Variable { return slices.Clone(imageVariables) }

// withoutMeaning are variables that say nothing about a server of zkd.
var withoutMeaning = map[string]string{
	"ZOO_LOG_DIR":           "zkd logs to standard error",
	"ZOO_LOG4J_PROP":        "zkd has --log-level",
	"ZOOKEEPER_LOG_DIR":     "zkd logs to standard error",
	"ZOO_HEAP_SIZE":         "zkd has no heap of a fixed size; see GOMEMLIMIT",
	"ZOO_PORT":              "the client port is behind the ; of the server's line in ZOO_SERVERS, or clientPort in ZOO_CFG_EXTRA",
	"ZOO_PORT_NUMBER":       "the client port is behind the ; of the server's line in ZOO_SERVERS, or clientPort in ZOO_CFG_EXTRA",
	"ZOOKEEPER_CLIENT_PORT": "the key of zoo.cfg is clientPort; without a zoo.cfg, ZOO_CFG_EXTRA=clientPort=N",
}

// silentVariables are honoured elsewhere.
var silentVariables = []string{"ZOO_CONF_DIR", "ZOO_DATADIR_AUTOCREATE_DISABLE", varMyID}

// imageConfigures tells whether variables of the official image are set that
// make a configuration.
func (l *loader) imageConfigures() bool {
	for _, v := range imageVariables {
		if l.environ[v.Name].value != "" {
			return true
		}
	}
	return l.environ[varServers].value+l.environ[varExtra].value+l.environ[varMyID].value != ""
}

// addImage enters what the image's entrypoint writes into the zoo.cfg that it
// makes. Where ZOO_CFG_EXTRA says something again, that is what counts there,
// too.
func (l *loader) addImage() {
	l.image = true
	var text strings.Builder
	enter := func(name, key, value string, at origin, r rank) {
		k, plain, _ := resolve(key)
		if k == nil {
			l.unknown(at, key, key)
			return
		}
		fmt.Fprintf(&text, "%s=%s\n", key, value)
		l.add(&setting{key: k, name: plain, text: value, at: at, rank: r})
	}
	for _, v := range imageVariables {
		set := l.environ[v.Name]
		switch {
		case set.value != "":
			enter(v.Name, v.Key, trimJava(set.value), origin{source: set.source(v.Name)}, rankFile)
		case v.Key == "dataDir":
			enter(v.Name, v.Key, defaultDataDir, origin{source: "built-in default"}, rankDefault)
		case v.Key == "dataLogDir" || v.Key == "admin.enableServer" || v.Default == "":
			// The first follows dataDir, the second is not there, the third has no default.
		default:
			enter(v.Name, v.Key, v.Default, origin{source: "default of " + v.Name}, rankDefault)
		}
	}
	servers, at := l.environ[varServers].value, origin{source: l.environ[varServers].source(varServers)}
	if servers == "" {
		servers, at.source = imageServers, "default of "+varServers
	}
	for _, e := range l.items(varServers, servers, at) {
		if k := lookup(e.key); k == nil || k.Name != "server.*" {
			l.fail(at, "%s is no line of a server; it must be server.N=host:port:port;clientPort, several of them with blanks between", showName(e.key))
			continue
		}
		enter(varServers, e.key, e.value, at, rankFile)
	}
	extra := l.environ[varExtra]
	for _, e := range l.items(varExtra, extra.value, origin{source: extra.source(varExtra)}) {
		enter(varExtra, e.key, e.value, origin{source: extra.source(varExtra)}, rankExtra)
	}
	l.cfg.Text = NewSecret(text.String())
}

// items are the lines that the entrypoint makes of a variable, which the shell
// cuts at blanks.
func (l *loader) items(_, text string, at origin) (all []entry) {
	for item := range strings.FieldsSeq(text) {
		entries, bad, _ := parseProperties([]byte(item))
		for _, b := range bad {
			l.fail(at, "%v", b.err)
		}
		all = append(all, entries...)
	}
	return all
}

// checkVariables says which variables of ZooKeeper's images are set and not
// honoured, and fails where that changes who is a member.
func (l *loader) checkVariables() {
	for _, name := range l.environ.names() {
		v := l.environ[name]
		if v.value == "" || slices.Contains(silentVariables, name) || fromKubernetes(name, v.value) {
			continue
		}
		at := origin{source: v.source(name)}
		if known := l.checkMemberVariable(name, v.value, at); known {
			continue
		}
		i := slices.IndexFunc(imageVariables, func(i Variable) bool { return i.Name == name })
		switch {
		case l.image && (i >= 0 || name == varExtra):
		case i >= 0 && (v.value == imageVariables[i].Default || l.says(imageVariables[i].Key, v.value)):
			// Nobody has set it, or to what counts anyway.
		default:
			l.warn(at, "%s is not honoured%s", showName(name), l.hint(name, i >= 0 || name == varExtra))
		}
	}
}

// says tells whether a key is set to a value, as text.
func (l *loader) says(key, value string) bool {
	s := l.settings[key]
	return s != nil && s.text == value
}

// names are the variables of the two families, sorted.
func (e environment) names() (all []string) {
	for name := range e {
		if strings.HasPrefix(name, "ZOO_") || strings.HasPrefix(name, "ZOOKEEPER_") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// fromKubernetes tells whether a variable is about a service called zoo or
// zookeeper (a link of Docker's, a service of Kubernetes).
func fromKubernetes(name, value string) bool {
	return strings.HasPrefix(value, "tcp://") || strings.HasPrefix(value, "udp://") ||
		strings.Contains(name, "_SERVICE_HOST") || strings.Contains(name, "_SERVICE_PORT") || strings.Contains(name, "_TCP_") || strings.Contains(name, "_UDP_")
}

// hint says what to do instead.
func (l *loader) hint(name string, image bool) string {
	_, rest, _ := strings.Cut(name, "_")
	switch reason := withoutMeaning[name]; {
	case reason != "":
		return ": " + reason
	case image && l.cfg.File != "":
		return ": " + l.cfg.File + " is the configuration, as it would be in ZooKeeper's image"
	}
	rest = strings.ToLower(strings.ReplaceAll(rest, "_", ""))
	for i := range keyTable {
		k := &keyTable[i]
		if letters := strings.NewReplacer(".", "", "_", "").Replace(strings.ToLower(k.Name)); letters == rest && !k.hush {
			return fmt.Sprintf(": the key of zoo.cfg is %s; without a zoo.cfg, %s=%s=…", k.Name, varExtra, k.Name)
		}
	}
	return ""
}

// checkMemberVariable is about the variables that say who the servers are, and
// which one this is.
func (l *loader) checkMemberVariable(name, value string, at origin) (known bool) {
	switch name {
	case varServers:
		if !l.image {
			l.checkListed(name, l.listOf(value), at, "")
		}
	case "ZOOKEEPER_SERVERS":
		list := positional(value)
		port := l.environ["ZOOKEEPER_CLIENT_PORT"].value
		if port == "" {
			port = "2181"
		}
		var lines []string
		for _, s := range list {
			lines = append(lines, fmt.Sprintf("server.%d=%s:%d:%d;%s", s.ID, s.Addrs[0].Host, s.Addrs[0].QuorumPort, s.Addrs[0].ElectionPort, port))
		}
		l.checkListed(name, list, at, fmt.Sprintf("; zkd takes %s=\"%s\"", varServers, printable(strings.Join(lines, " "))))
	case "ZOOKEEPER_SERVER_ID", "ZOO_SERVER_ID":
		if l.cfg.EnsembleMode() && value != fmt.Sprint(l.cfg.ServerID) {
			l.fail(at, "%s=%s is not honoured, and this server is %d without it; zkd takes %s, or the file myid", name, show(value), l.cfg.ServerID, varMyID)
			break
		}
		l.warn(at, "%s is not honoured; zkd takes %s, or the file myid", name, varMyID)
	default:
		return false
	}
	return true
}

// checkListed compares what a variable lists to the servers that count.
func (l *loader) checkListed(name string, list []Server, at origin, instead string) {
	switch {
	case len(list) == 0:
		l.warn(at, "%s is not honoured: it lists no servers in a form that is known here", name)
	case sameMembers(list, l.cfg.Servers):
		l.warn(at, "%s is not honoured; it says what the server lines say", name)
	default:
		where := l.cfg.File
		if where == "" {
			where = "the configuration"
		}
		l.fail(at, "%s is not honoured, and lists servers otherwise than %s does: one of the two is wrong about who is a member%s", name, where, instead)
	}
}

// listOf reads the list of ZOO_SERVERS as far as it is one.
func (l *loader) listOf(text string) (list []Server) {
	for item := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(item, "=")
		if s, err := ParseServer(key, value); err == nil && strings.HasPrefix(key, "server.") {
			list = append(list, s)
		}
	}
	return list
}

// positional reads a list without numbers, which are the places in it, as
// Confluent's image has it.
func positional(text string) (list []Server) {
	items := strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' || r <= ' ' })
	for i, item := range items {
		s, err := ParseServer(fmt.Sprintf("server.%d", i+1), item)
		if err != nil {
			return nil
		}
		list = append(list, s)
	}
	return list
}

// sameMembers tells whether two lists have the same servers at the same
// addresses. What a server says of itself may be a wildcard in one of them.
func sameMembers(a, b []Server) bool {
	if len(a) != len(b) {
		return false
	}
	for _, s := range a {
		i := slices.IndexFunc(b, func(o Server) bool { return o.ID == s.ID })
		if i < 0 || s.Observer != b[i].Observer || len(s.Addrs) != len(b[i].Addrs) {
			return false
		}
		for j, addr := range s.Addrs {
			other := b[i].Addrs[j]
			if isWildcard(addr.Host) || isWildcard(other.Host) {
				other.Host = addr.Host
			}
			if addr != other {
				return false
			}
		}
	}
	return true
}

// myIDVariable is this server's number by the environment, for where the file
// myid is not there.
func (l *loader) myIDVariable() (id int64, set bool) {
	v := l.environ[varMyID]
	if v.value == "" || l.outside {
		return 0, false
	}
	id, ok := l.parseMyID(origin{source: v.source(varMyID)}, []byte(v.value))
	if !ok {
		return 0, false
	}
	l.cfg.NewMyID = true
	return id, true
}

// defaultDataDir is where a server without any configuration has its data.
const defaultDataDir = "./zkd-data"

// myIDPath is the file with this server's number.
func (c *Config) myIDPath() string { return filepath.Join(c.DataDir, "myid") }
