// Package server is a ZooKeeper server: it listens for clients, orders their
// requests, answers them, and joins the tree, the sessions and the watches
// into the state machine that package consensus feeds.
//
// Goroutines, all started and ended here: one per listener, one per
// connection (conn.go), the flushers (flushers.go), in an ensemble the gate
// (gate.go) and the expiry of local sessions (locals.go), and on the leader session expiry and the container reaper
// (leader.go) and who follows the zoo.cfg files (administer.go); and the apply goroutine, which is raft's and calls machine.go.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/store"
	"zkd/server/member"
)

// Server is one running server. Start makes it.
type Server struct {
	cfg     *conf.Config
	world   World
	log     *slog.Logger
	started time.Time

	state       *state
	node        *consensus.Node // not before opened is closed
	opened      chan struct{}
	sessions    *sessions
	locals      *locals
	gate        *gate
	conns       *conns
	throttle    *throttle
	memory      *memory
	rounds      *rounds
	flushers    flushers
	stats       serverStats
	outstanding atomic.Int64 // requests in the log and not yet answered
	serving     atomic.Bool  // changed by gate alone
	traceMask   atomic.Int64 // of gtmk and stmk
	dynamic     *member.File
	leadership  leadership
	anew        notice    // a client begins anew, see conn.beginsAnew
	toldPlace   time.Time // when unplaced last said something; of the driver's goroutine

	listener net.Listener
	life     context.Context
	stop     context.CancelFunc
	tasks    sync.WaitGroup

	fail     chan error              // gets the first reason to stop
	quit     context.CancelCauseFunc // ends a start that cannot succeed any more
	downOnce sync.Once
	downErr  error
}

// newServer makes a server that has nothing open and runs nothing.
func newServer(cfg *conf.Config, log *slog.Logger, world World) *Server {
	s := &Server{
		cfg: cfg, log: log, world: world, started: time.Now(),
		state: newState(), conns: newConns(), throttle: newThrottle(cfg), memory: newMemory(),
		opened: make(chan struct{}), fail: make(chan error, 1), dynamic: member.NewFile(cfg, log),
	}
	s.traceMask.Store(0x132) // ZooTrace's default
	s.state.failed = s.failed
	s.sessions = newSessions(s)
	s.locals, s.gate, s.rounds = newLocals(s), newGate(s), newRounds(s)
	return s
}

// Start opens the data directories, replays what is in them and serves
// clients. ctx bounds the start only. cfg is what conf.Default or conf.Load
// returned, changed as one likes, and stays as it is (conf.Config.Complete).
// Without a log nothing is logged. Shutdown ends the server; Failed says if it
// has ended by itself.
func Start(ctx context.Context, cfg *conf.Config, log *slog.Logger) (*Server, error) {
	return StartIn(ctx, cfg, log, World{})
}

// StartIn is Start in another world than this machine.
func StartIn(ctx context.Context, cfg *conf.Config, log *slog.Logger, world World) (*Server, error) {
	cfg, err := cfg.Complete()
	if err != nil {
		return nil, err
	}
	log = orDiscard(log)
	s := newServer(cfg, log, world)
	if err := refuseZooKeeperData(cfg, log); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err // before there is a directory for it
	}
	if err := prepareDirs(cfg, world.Disk); err != nil {
		return nil, errors.Join(err, s.closeListener())
	}
	ctx, s.quit = context.WithCancelCause(ctx)
	defer s.quit(nil)
	s.life, s.stop = context.WithCancel(context.Background())
	s.flushers.start()
	// Probes are answered while the log is replayed; clients are turned away.
	s.tasks.Go(func() { s.accept(s.life) })
	if err := s.openNode(ctx); err != nil {
		err = errors.Join(err, s.closeListener())
		s.stop()
		s.conns.closeAll()
		s.tasks.Wait()
		s.flushers.stop()
		return nil, err
	}
	s.tasks.Go(func() { s.dynamic.Run(s.life) }) // not of lists that the log has left behind
	s.reportMembers()
	s.gate.open()
	s.tasks.Go(func() { s.scrub(s.life) })
	s.tasks.Go(func() { s.rounds.run(s.life) })
	return s, nil
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// longestList is how long a list of children may get. ZooKeeper has no such
// limit; a client that takes as much as is sent, or whose jute.maxbuffer was
// raised to this, can always list.
const longestList = 64 << 20

func (s *Server) openNode(ctx context.Context) (err error) {
	set := settings{
		skipACL: s.cfg.SkipACL, enforceQuota: s.cfg.EnforceQuota, ttlNodes: s.cfg.ExtendedTypesEnabled,
		reconfig: s.cfg.ReconfigEnabled, loneVoter: !s.cfg.StandaloneEnabled, listLimit: max(longestList, s.cfg.JuteMaxBuffer),
	}
	s.node, err = s.open(ctx, consensus.Config{
		ServerID: uint64(s.cfg.ServerID),
		Store: store.Options{
			Dir:    filepath.Join(s.cfg.DataDir, storeName),
			LogDir: filepath.Join(s.cfg.DataLogDir, storeName),
			Engine: s.cfg.LogStore, RetainSnapshots: s.cfg.SnapRetainCount,
			NoSync: s.cfg.UnsafeNoSync, SlowSync: s.cfg.FsyncWarningThreshold, Logger: s.log,
			Disk: s.world.Disk,
		},
		Preamble: set.encode(),
		Now:      s.world.Now, Trailing: s.world.Trailing,
		SnapshotRequests: s.cfg.SnapCount, SnapshotBytes: s.cfg.SnapSizeLimit,
		Lead: s.lead, OnFatal: s.failed, Logger: s.log, Ensemble: s.ensemble(),
	})
	if err != nil {
		return err
	}
	close(s.opened)
	if s.cfg.EnsembleMode() {
		s.tasks.Go(func() { s.gate.run(s.life) })
		s.tasks.Go(func() { s.locals.expire(s.life) })
	}
	if err := s.node.Ready(ctx); err != nil {
		return errors.Join(context.Cause(ctx), err, s.node.Close())
	}
	return nil
}

// now is the server's monotonic clock.
func (s *Server) now() time.Duration { return time.Since(s.started) }

// failed stops serving at once: this server can no longer tell what is true.
func (s *Server) failed(err error) {
	s.gate.end()
	if errors.Is(err, consensus.ErrDamaged) {
		select {
		case <-s.opened:
			err = s.node.Distrust(err)
		default: // it has nothing yet that would be kept
		}
	}
	if errors.Is(err, consensus.ErrRejoin) || errors.Is(err, store.ErrRestart) {
		s.log.Warn("stopping, to start anew", "reason", err) // which heals it
	} else {
		s.log.Error("stopping: this server can no longer be right", "err", err)
	}
	select {
	case s.fail <- err:
	default:
	}
	s.quit(err)
	s.conns.closeAll()
}

// Failed receives the reason when the server has stopped by itself. Shutdown
// must still be called.
func (s *Server) Failed() <-chan error { return s.fail }

func (s *Server) listen() error {
	if s.cfg.ClientAddr == "" {
		s.listener = &noListener{closed: make(chan struct{})}
		return nil
	}
	l, err := s.world.listen(s.cfg.ClientAddr)
	if err != nil {
		return fmt.Errorf("server: listen for clients: %w", err)
	}
	s.listener = l
	if n := s.cfg.ClientPortListenBacklog; n > 0 {
		return setBacklog(l, n)
	}
	return nil
}

// setBacklog changes how many connections may wait to be accepted: listening
// again on a socket that listens does just that.
func setBacklog(l net.Listener, n int) error {
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), n) }), err)
	}
	if err != nil {
		return fmt.Errorf("server: set the backlog to %d: %w", n, err)
	}
	return nil
}

// noListener stands where there is no address for clients. To listen on an
// empty one would open a port that nobody asked for, to everybody.
type noListener struct {
	closed chan struct{}
	once   sync.Once
}

func (l *noListener) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l *noListener) Close() error              { l.once.Do(func() { close(l.closed) }); return nil }
func (l *noListener) Addr() net.Addr            { return &net.TCPAddr{} }

// Addr returns the address that clients connect to, port 0 if there is none.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Port returns the port of Addr.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// accept takes in connections until the listener is closed.
func (s *Server) accept(ctx context.Context) {
	for {
		nc, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Out of descriptors, mostly: it passes when connections end.
			s.log.Warn("accept failed", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		s.admit(nc)
	}
}

func (s *Server) admit(nc net.Conn) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetKeepAlive(s.cfg.ClientTCPKeepAlive)
	}
	c := newConn(s, nc)
	if err := s.conns.add(c, s.maxCnxns(), s.cfg.MaxClientCnxns); err != nil {
		s.stats.rejected.Add(1)
		s.log.Warn("connection refused", "peer", c.peer, "err", err)
		_ = nc.Close()
		return
	}
	s.stats.connects.Add(1)
	s.rounds.enter(c, s.now())
	go c.serve()
}

// ownFiles is how many descriptors are kept back for the log and snapshots:
// clients must not be able to stop a server by connecting to it.
const ownFiles = 64

// maxCnxns is how many connections there may be, 0 for any number.
func (s *Server) maxCnxns() int {
	files := maxFiles()
	if files == 0 || files > math.MaxInt32 {
		return s.cfg.MaxCnxns
	}
	room := max(int(files)-ownFiles, 1)
	if s.cfg.MaxCnxns > 0 {
		return min(s.cfg.MaxCnxns, room)
	}
	return room
}

func (s *Server) closeListener() error {
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Shutdown ends the server: it stops accepting, answers what is in the log
// already, closes the connections and the files. Sessions live on for the next
// start. ctx bounds only the wait for answers.
func (s *Server) Shutdown(ctx context.Context) error {
	s.downOnce.Do(func() {
		err := s.closeListener()
		s.gate.end()
		s.settle(ctx)
		s.stop()
		s.partWithClients(ctx)
		s.conns.closeAll()
		s.tasks.Wait()
		err = errors.Join(err, s.node.Close())
		s.flushers.stop()
		s.downErr = err
	})
	return s.downErr
}

// settle waits until what clients have asked for is answered, or nobody is
// left to hear it.
func (s *Server) settle(ctx context.Context) {
	for s.outstanding.Load() > 0 && s.conns.len() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// partWithClients sends every client what is queued for it and ends the
// connection behind that. Who does not take it has had its time when this
// returns.
func (s *Server) partWithClients(ctx context.Context) {
	for _, c := range s.conns.list() {
		c.endAfterReplies()
		c.out.tryFlush()
	}
	ctx, cancel := context.WithTimeout(ctx, 2*lingerTime)
	defer cancel()
	for s.conns.len() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// Status returns this server's view of its ensemble; false before it has opened
// its data.
func (s *Server) Status() (consensus.Status, bool) {
	select {
	case <-s.opened:
		return s.node.Status(), true
	default:
		return consensus.Status{}, false
	}
}

// DataDir returns where the data is.
func (s *Server) DataDir() string { return absolute(s.cfg.DataDir) }

// Reachable returns an address to connect to from this machine, also where
// Addr is that of every interface.
func (s *Server) Reachable() string {
	addr := s.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", addr.Port)
	}
	return addr.String()
}
