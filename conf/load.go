package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Load reads the file at path, the dynamic file it names and myid, and lays the
// file over props; among props a later one wins. An empty path means the
// built-in default, which props then override.
//
// The report is never nil. The error is an *Error and lists all problems.
func Load(path string, props []Property) (*Config, *Report, error) {
	return Environ(nil).Load(path, props)
}

// LoadOutside reads the file of an ensemble for a process that is none of its
// servers: there need not be a myid, and ServerID and the client addresses are
// not set. The file of a single server is read as Load reads it.
func LoadOutside(path string, props []Property) (*Config, *Report, error) {
	return Environ(nil).LoadOutside(path, props)
}

// LoadArgs is ZooKeeper's form without a file: clientPort dataDir [tickTime]
// [maxClientCnxns]. Connections per address are unlimited unless given.
func LoadArgs(args []string, props []Property) (*Config, *Report, error) {
	l := newLoader(readFile, notYet)
	if len(args) < 2 || len(args) > 4 {
		l.fatal = true
		l.fail(origin{}, "expected: clientPort dataDir [tickTime] [maxClientCnxns]")
		return l.finish()
	}
	if len(args) < 4 {
		l.add(&setting{key: lookup("maxClientCnxns"), name: "maxClientCnxns", text: "0", rank: rankDefault})
	}
	for i, name := range []string{"clientPort", "dataDir", "tickTime", "maxClientCnxns"}[:len(args)] {
		l.add(&setting{key: lookup(name), name: name, text: args[i], at: origin{source: fmt.Sprintf("argument %d", i+1)}, rank: rankFile})
	}
	l.addProperties(props)
	return l.finish()
}

// Default is what the server uses when it is started without arguments, for
// programs to change before they start one: what follows another field is not
// filled in yet, see Complete. It touches no file, so ServerID is 1; Load("",
// nil) is the same with myid read.
func Default() *Config {
	l := newLoader(func(string) ([]byte, error) { return nil, fs.ErrNotExist }, nil)
	l.addDefaults()
	cfg, _, err := l.finish()
	if err != nil {
		panic("conf: the built-in default is broken: " + err.Error())
	}
	cfg.unfollow()
	return cfg
}

// addDefaults enters the built-in configuration.
func (l *loader) addDefaults() {
	for _, kv := range [][2]string{
		{"tickTime", "2000"},
		{"dataDir", defaultDataDir},
		{"clientPortAddress", "127.0.0.1"},
		{"clientPort", "2181"},
	} {
		l.add(&setting{key: lookup(kv[0]), name: kv[0], text: kv[1], at: origin{source: "built-in default"}, rank: rankDefault})
	}
}

// fileLimit bounds what is read into memory: a path may name anything.
const fileLimit = 1 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, fileLimit+1))
	if err == nil && len(data) > fileLimit {
		err = fmt.Errorf("larger than %d bytes", fileLimit)
	}
	return data, err
}

// pathless strips the path off an error whose message names it already.
func pathless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// loader carries one Load from text to Config. Steps add findings and go on;
// only finish decides whether there is a Config.
type loader struct {
	cfg      *Config
	report   *Report
	readFile func(string) ([]byte, error)
	gaps     []gap
	repeated [][2]*setting // set twice to one value; see duplicate
	cause    error         // of a file that cannot be read
	fatal    bool          // there is nothing to look at
	outside  bool          // see LoadOutside
	environ  environment
	image    bool // the variables of the official image are the configuration
	followed bool // the dynamic file is one that zkd has written

	settings map[string]*setting // the one that counts, by plain name
	order    []*setting          // all, in the order met
}

func newLoader(readFile func(string) ([]byte, error), gaps []gap) *loader {
	return &loader{
		cfg: new(Config), report: new(Report), readFile: readFile, gaps: gaps,
		settings: make(map[string]*setting),
	}
}

// addFile reads a zoo.cfg.
func (l *loader) addFile(path string) {
	l.cfg.File, l.report.File = path, path
	data, err := l.readFile(path)
	if err != nil {
		l.cause, l.fatal = err, true
		if errors.Is(err, fs.ErrNotExist) {
			l.fail(origin{}, "%s file is missing", path)
			return
		}
		l.fail(origin{}, "%s cannot be read: %v", path, pathless(err))
		return
	}
	l.cfg.Text = NewSecret(string(data))
	for _, e := range l.parse(path, data) {
		at := origin{file: path, line: e.line}
		k, name, prefixed := resolve(e.key)
		if k == nil {
			l.unknown(at, e.key, e.key)
			continue
		}
		switch {
		case prefixed:
			l.note(at, "ZooKeeper ignores keys that begin with \"zookeeper.\" in zoo.cfg; write %s", showName(name))
		case k.bare() && !l.quiet(k):
			l.note(at, "ZooKeeper ignores %s in zoo.cfg and takes only -D%s; zkd takes both", showName(name), showName(k.Prop))
		}
		l.add(&setting{key: k, name: name, text: e.value, hash: e.hash, at: at, rank: rankFile})
	}
}

// parse reads properties and reports what the reader itself objects to.
func (l *loader) parse(path string, data []byte) []entry {
	if isUTF16(data) {
		l.fatal = true
		l.fail(origin{file: path, line: 1}, "the file is UTF-16 text, as its byte order mark says; save it as UTF-8")
		return nil
	}
	entries, bad, bom := parseProperties(data)
	for _, b := range bad {
		l.fail(origin{file: path, line: b.line}, "%v", b.err)
	}
	if bom {
		l.warn(origin{file: path, line: 1}, "the file begins with a byte order mark, which makes ZooKeeper ignore its first key; zkd drops it")
	}
	return entries
}

// unknown reports a key that is in no table. Its value is not shown: it may be
// a secret under a misspelt name.
func (l *loader) unknown(at origin, written, name string) {
	reason := ""
	if live, dead := deadNames[strings.TrimPrefix(name, "zookeeper.")]; dead {
		reason = "ZooKeeper's manual has it, but ZooKeeper reads " + live
	} else if near := nearest(strings.TrimPrefix(name, "zookeeper.")); near != "" {
		reason = "the nearest known key is " + near
	}
	text := "unknown key " + showName(written) + ", ignored"
	if reason != "" {
		text += "; " + reason
	}
	l.warn(at, "%s", text)
	l.order = append(l.order, &setting{name: written, at: at, stance: Unknown, reason: reason})
}

// finish runs the steps that need all keys and hands out the result.
func (l *loader) finish() (*Config, *Report, error) {
	if !l.fatal {
		l.addDynamicFile()
		l.reportRepeated()
		l.bindAll()
		l.setSync()
		l.setDirs()
		l.setSessions()
		l.setServers()
		if !l.outside || !l.cfg.EnsembleMode() {
			l.setServerID()
			l.checkOwnLine()
			l.setListeners()
		}
		l.setQuorumSecret()
		if !l.outside {
			l.checkVariables()
		}
		l.setAuth()
		l.setFourLetterWords()
		l.checkTLS()
		l.refuseAll()
		l.applyGaps()
	}
	return l.result()
}

func (l *loader) result() (*Config, *Report, error) {
	for _, s := range l.order {
		l.report.Rows = append(l.report.Rows, s.row())
	}
	sortFindings(l.report.Findings)
	problems := slices.DeleteFunc(slices.Clone(l.report.Findings), func(f Finding) bool { return f.Level != Failure })
	if len(problems) > 0 {
		return nil, l.report, &Error{File: l.cfg.File, Problems: problems, cause: l.cause}
	}
	return l.cfg, l.report, nil
}

func (l *loader) note(at origin, format string, args ...any) { l.find(Notice, at, format, args) }
func (l *loader) warn(at origin, format string, args ...any) { l.find(Warning, at, format, args) }
func (l *loader) fail(at origin, format string, args ...any) { l.find(Failure, at, format, args) }

// reject fails a setting: later steps no longer see it.
func (l *loader) reject(s *setting, format string, args ...any) {
	l.fail(s.at, format, args...)
	s.bad, s.stance, s.reason = true, Refused, fmt.Sprintf(format, args...)
}

func (l *loader) find(level Level, at origin, format string, args []any) {
	l.report.Findings = append(l.report.Findings, Finding{
		Level: level, Where: at.String(), Text: fmt.Sprintf(format, args...), line: at.line,
	})
}
