package conf

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Environ is the environment of a process, as os.Environ returns it: what
// containers and start scripts of ZooKeeper configure it by.
type Environ []string

// Load is Load for a process with this environment. Without a path it looks for
// the file that File names, and without one there the variables of the official
// container image are the configuration, if any is set; see variables.
func (e Environ) Load(path string, props []Property) (*Config, *Report, error) {
	l := newLoader(readFile, notYet)
	return l.load(e, path, props)
}

// LoadOutside is LoadOutside for a process with this environment.
func (e Environ) LoadOutside(path string, props []Property) (*Config, *Report, error) {
	l := newLoader(readFile, notYet)
	l.outside = true
	return l.load(e, path, props)
}

func (l *loader) load(e Environ, path string, props []Property) (*Config, *Report, error) {
	if path == "" {
		path = e.file(l.readFile)
	}
	l.addEnvironment(e, path)
	switch {
	case path != "":
		l.addFile(path)
	case l.imageConfigures():
		l.addImage()
	default:
		l.addDefaults()
	}
	l.addProperties(append(l.variableProperties(), props...))
	return l.finish()
}

// Configures tells whether there is a configuration without a path.
func (e Environ) Configures() bool {
	l := newLoader(readFile, nil)
	l.addEnvironment(e, "")
	return e.file(readFile) != "" || l.imageConfigures()
}

// file is the zoo.cfg that ZooKeeper's start script (zkEnv.sh) or the official
// image would take, "" if it is not there.
func (e Environ) file(read func(string) ([]byte, error)) string {
	name, dir := e.get("ZOOCFG"), e.confDir()
	path := filepath.Join(dir, name)
	switch {
	case name == "" && dir == "":
		return ""
	case name == "":
		path = filepath.Join(dir, "zoo.cfg")
	case filepath.IsAbs(name):
		path = name
	}
	if _, err := read(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

func (e Environ) confDir() string {
	if dir := e.get("ZOOCFGDIR"); dir != "" {
		return dir
	}
	return e.get("ZOO_CONF_DIR")
}

// get returns the last of a name, as C libraries do not agree on.
func (e Environ) get(name string) (value string) {
	for _, item := range e {
		if rest, ok := strings.CutPrefix(item, name+"="); ok {
			value = rest
		}
	}
	return value
}

// environment is the variables that count, by name.
type environment map[string]variable

// variable is one that is set, and where.
type variable struct {
	value string
	at    origin
}

// source is what a remark begins with.
func (v variable) source(name string) string {
	if v.at.file != "" {
		return v.at.String() + ": " + showName(name)
	}
	return showName(name)
}

// startFiles are what ZooKeeper's start scripts have the shell run, in that
// order: zkEnv.sh the first two, Debian's the third.
var startFiles = []string{"zookeeper-env.sh", "java.env", "environment"}

// addEnvironment reads the variables of the process, and those that the files
// beside zoo.cfg add.
func (l *loader) addEnvironment(e Environ, path string) {
	l.environ = environment{}
	for _, item := range e {
		name, value, _ := strings.Cut(item, "=")
		l.environ[name] = variable{value, origin{source: name}}
	}
	dir := e.confDir()
	if path != "" {
		dir = filepath.Dir(path)
	}
	if dir == "" || e == nil {
		return
	}
	for _, name := range startFiles {
		l.addStartFile(filepath.Join(dir, name))
	}
}

func (l *loader) addStartFile(path string) {
	data, err := l.readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.warn(origin{file: path}, "the file cannot be read: %v", pathless(err))
		return
	}
	set, skipped := parseShell(data, func(name string) string { return l.environ[name].value })
	for _, a := range set {
		l.environ[a.name] = variable{a.value, origin{file: path, line: a.line}}
	}
	for _, c := range skipped {
		if strings.Contains(c.text, "-D") || slices.ContainsFunc(flagVariables, func(name string) bool { return strings.Contains(c.text, name+"=") }) {
			l.warn(origin{file: path, line: c.line}, "this is no plain assignment, which is all that zkd reads here; it has no effect")
		}
	}
}

// flagVariables hold flags of a JVM: Kafka's and those of ZooKeeper's start
// script, which puts SERVER_JVMFLAGS in front of JVMFLAGS; of two -D the later
// one counts.
var flagVariables = []string{"JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "KAFKA_OPTS", "SERVER_JVMFLAGS", "JVMFLAGS"}

// variableProperties returns the -D items among the variables.
func (l *loader) variableProperties() (props []Property) {
	if v := l.environ["ZOO_DATADIR_AUTOCREATE_DISABLE"]; v.value != "" {
		props = append(props, Property{Key: "zookeeper.datadir.autocreate", Value: "false", Source: v.source("ZOO_DATADIR_AUTOCREATE_DISABLE")})
	}
	for _, name := range flagVariables {
		if v := l.environ[name]; v.value != "" {
			props = append(props, ParseFlags(v.value, v.source(name))...)
		}
	}
	return props
}
