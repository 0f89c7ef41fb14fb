package server

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"zkd/proto/jute"
)

// word is a four-letter word (server.command): a probe that monitors and
// operators send instead of a ConnectRequest.
type word struct {
	answer  func(*Server, *strings.Builder)
	anytime bool // answered also while the server does not serve
}

// words are the four-letter words this server answers, in the exact form that
// monitors parse.
var words map[string]word

func init() { // a variable of its own would refer to itself through conf
	words = map[string]word{
		"ruok": {answer: func(_ *Server, b *strings.Builder) { b.WriteString("imok") }, anytime: true},
		"isro": {answer: (*Server).isro, anytime: true},
		"srvr": {answer: func(s *Server, b *strings.Builder) { s.srvr(b, false) }},
		"stat": {answer: func(s *Server, b *strings.Builder) { s.srvr(b, true) }},
		"mntr": {answer: (*Server).mntr},
		"conf": {answer: (*Server).conf},
		"cons": {answer: (*Server).cons},
		"crst": {answer: (*Server).crst},
		"srst": {answer: (*Server).srst},
		"envi": {answer: (*Server).envi, anytime: true},
		"dirs": {answer: (*Server).dirs},
		"wchs": {answer: (*Server).wchs},
		"wchc": {answer: (*Server).wchc},
		"wchp": {answer: (*Server).wchp},
		"dump": {answer: (*Server).dump},
		"hash": {answer: func(*Server, *strings.Builder) {}},
		"gtmk": {answer: func(s *Server, b *strings.Builder) { fmt.Fprint(b, s.traceMask.Load()) }, anytime: true},
		"stmk": {anytime: true}, // see setTraceMask
	}
}

const notServing = "This ZooKeeper instance is not currently serving requests\n"

// fourLetterWord answers a word, and tells whether it was one.
func (c *conn) fourLetterWord(name string) bool {
	w, ok := words[name]
	if !ok {
		return false
	}
	var b strings.Builder
	switch s := c.srv; {
	case !s.cfg.FourLetterWords.Allowed(name):
		fmt.Fprintf(&b, "%s is not executed because it is not in the whitelist.\n", name)
	case !w.anytime && !s.admits():
		b.WriteString(notServing)
	case w.answer == nil:
		c.setTraceMask(&b)
	default:
		w.answer(s, &b)
	}
	c.out.add(b.String())
	return true
}

// setTraceMask reads the eight bytes behind stmk. Nothing here depends on the
// mask; scripts that set it read it back.
func (c *conn) setTraceMask(b *strings.Builder) {
	for c.in.end-c.in.begin < 4+8 {
		if c.in.fill() != nil {
			return
		}
	}
	r := jute.NewReader(c.in.buf[c.in.begin+4 : c.in.end])
	mask := r.Int64()
	c.srv.traceMask.Store(mask)
	fmt.Fprint(b, mask)
}

func (s *Server) isro(b *strings.Builder) {
	switch {
	case s.gate.readOnly.Load():
		b.WriteString("ro")
	case s.serving.Load():
		b.WriteString("rw")
	default:
		b.WriteString("null")
	}
}

// srvr writes the figures of the server, with those of its clients for stat.
func (s *Server) srvr(b *strings.Builder, clients bool) {
	fmt.Fprintf(b, "Zookeeper version: %s\n", versionLine())
	if s.gate.readOnly.Load() {
		b.WriteString("READ-ONLY mode; serving only read-only clients\n")
	}
	if clients {
		b.WriteString("Clients:\n")
		for _, c := range s.conns.list() {
			b.WriteString(c.brief() + ")\n")
		}
		b.WriteString("\n")
	}
	lo, avg, hi := s.stats.latency.figures()
	s.state.mu.RLock()
	zxid, znodes := s.state.zxid, s.state.tree.Counts().Znodes
	s.state.mu.RUnlock()
	fmt.Fprintf(b, "Latency min/avg/max: %d/%s/%d\nReceived: %d\nSent: %d\nConnections: %d\nOutstanding: %d\n",
		lo, decimal(avg), hi, s.stats.received.Load(), s.stats.sent.Load(), s.conns.len(), s.outstanding.Load())
	// ZooKeeper counts the root twice, under both of its names.
	mode := s.mode()
	fmt.Fprintf(b, "Zxid: %#x\nMode: %s\nNode count: %d\n", zxid, mode, znodes+1)
	if mode == "leader" {
		last, least, most := s.leadership.sizes()
		fmt.Fprintf(b, "Proposal sizes last/min/max: %d/%d/%d\n", last, least, most)
	}
}

// decimal writes a number as Java does, but never with an exponent, which
// breaks the patterns of monitors.
func decimal(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.ContainsRune(s, '.') {
		s += ".0"
	}
	return s
}

// lastOps are ZooKeeper's names of requests in cons.
var lastOps = map[jute.Op]string{
	0: "NA", jute.OpPing: "PING", jute.OpCreateSession: "SESS", jute.OpCloseSession: "CLOS", jute.OpMulti: "MULT",
	jute.OpMultiRead: "MLTR", jute.OpCreate: "CREA", jute.OpCreate2: "CREA", jute.OpCreateContainer: "CREA",
	jute.OpCreateTTL: "CREA", jute.OpDelete: "DELE", jute.OpSetData: "SETD", jute.OpSetACL: "SETA",
	jute.OpReconfig: "RECO", jute.OpSync: "SYNC", jute.OpExists: "EXIS", jute.OpGetData: "GETD",
	jute.OpGetACL: "GETA", jute.OpGetChildren: "GETC", jute.OpGetChildren2: "GETC",
	jute.OpGetAllChildrenNumber: "GETACN", jute.OpGetEphemerals: "GETE", jute.OpSetWatches: "SETW",
	jute.OpSetWatches2: "STW2", jute.OpAddWatch: "ADDW", jute.OpCheckWatches: "CHKW",
	jute.OpRemoveWatches: "REMW", jute.OpWhoAmI: "HOMI", opAttach: "SESS",
}

// brief is a connection as stat shows it, without the closing parenthesis.
func (c *conn) brief() string {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	ops := 0
	if c.attached {
		ops = 1
	}
	return fmt.Sprintf(" /%s[%d](queued=%d,recved=%d,sent=%d", c.peer, ops,
		len(c.pending)-c.answered, c.stats.received, c.stats.sent)
}

func (s *Server) cons(b *strings.Builder) {
	for _, c := range s.conns.list() {
		b.WriteString(c.brief())
		c.out.mu.Lock()
		st := c.stats
		if c.attached {
			fmt.Fprintf(b, ",sid=%s,lop=%s,est=%d,to=%d", hexID(c.session.ID), lastOps[st.lastOp], c.since.UnixMilli(), c.timeout)
			if st.lastXid >= 0 {
				fmt.Fprintf(b, ",lcxid=%#x", st.lastXid)
			}
			fmt.Fprintf(b, ",lzxid=%#x,lresp=%d,llat=%d,minlat=%d,avglat=%d,maxlat=%d", uint64(st.lastZxid),
				st.lastReply.Milliseconds(), st.last, st.least(), st.average(), st.maxMs)
		}
		c.out.mu.Unlock()
		b.WriteString(")\n")
	}
	b.WriteString("\n")
}

func (s *Server) crst(b *strings.Builder) {
	for _, c := range s.conns.list() {
		c.out.mu.Lock()
		c.stats.reset()
		c.out.mu.Unlock()
	}
	b.WriteString("Connection stats reset.\n")
}

func (s *Server) srst(b *strings.Builder) {
	s.stats.received.Store(0)
	s.stats.sent.Store(0)
	s.stats.latency.reset()
	b.WriteString("Server stats reset.\n")
}

func (s *Server) conf(b *strings.Builder) {
	c := s.cfg
	fmt.Fprintf(b, "clientPort=%d\nsecureClientPort=-1\ndataDir=%s\ndataDirSize=%d\ndataLogDir=%s\ndataLogSize=%d\n",
		s.Port(), absolute(c.DataDir), dirSize(c.DataDir), absolute(c.DataLogDir), dirSize(c.DataLogDir))
	fmt.Fprintf(b, "tickTime=%d\nmaxClientCnxns=%d\nminSessionTimeout=%d\nmaxSessionTimeout=%d\nclientPortListenBacklog=%d\nserverId=%d\n",
		c.TickTime.Milliseconds(), c.MaxClientCnxns, c.MinSessionTimeout.Milliseconds(), c.MaxSessionTimeout.Milliseconds(),
		c.ClientPortListenBacklog, c.ServerID)
	if c.EnsembleMode() && !s.gate.readOnly.Load() {
		s.confEnsemble(b)
	}
}

// confEnsemble writes what conf says of an ensemble. It ends without a newline.
func (s *Server) confEnsemble(b *strings.Builder) {
	servers, version := s.versionedMembers()
	self := servers.Find(s.cfg.ServerID)
	if self == nil { // not a member yet, or no longer
		self = s.cfg.Self()
	}
	var quorum, election []string
	for _, a := range self.Addrs {
		quorum, election = append(quorum, strconv.Itoa(a.QuorumPort)), append(election, strconv.Itoa(a.ElectionPort))
	}
	peerType := 0
	if self.Observer {
		peerType = 1
	}
	fmt.Fprintf(b, "initLimit=%d\nsyncLimit=%d\nelectionAlg=3\nelectionPort=%s\nquorumPort=%s\npeerType=%d\nmembership: \n%s",
		s.cfg.InitLimit, s.cfg.SyncLimit, strings.Join(election, "|"), strings.Join(quorum, "|"), peerType, servers.Text(version))
}

func (s *Server) dirs(b *strings.Builder) {
	fmt.Fprintf(b, "datadir_size: %d\nlogdir_size: %d\n", dirSize(s.cfg.DataDir), dirSize(s.cfg.DataLogDir))
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// dirSize sums up the files below dir. Files that vanish meanwhile count
// nothing.
func dirSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

func (s *Server) envi(b *strings.Builder) {
	host, _ := os.Hostname()
	wd, _ := os.Getwd()
	name, home := "?", "?"
	if u, err := user.Current(); err == nil {
		name, home = u.Username, u.HomeDir
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	b.WriteString("Environment:\n")
	for _, kv := range [][2]string{
		{"zookeeper.version", versionLine()}, {"host.name", host}, {"go.version", runtime.Version()},
		{"os.name", osName()}, {"os.arch", runtime.GOARCH}, {"os.version", osRelease()},
		{"user.name", name}, {"user.home", home}, {"user.dir", wd},
		{"os.memory.free", megabytes(mem.HeapIdle)}, {"os.memory.max", megabytes(mem.Sys)}, {"os.memory.total", megabytes(mem.HeapSys)},
	} {
		fmt.Fprintf(b, "%s=%s\n", kv[0], kv[1])
	}
}

func megabytes(n uint64) string { return fmt.Sprintf("%dMB", n>>20) }

// uptime of the server.
func (s *Server) uptime() time.Duration { return s.now() }
