package server

import (
	"log/slog"
	"path/filepath"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/store"
)

// OpenRecovery looks at what a server that does not run has in its data
// directories, see consensus.Recovery.
func OpenRecovery(cfg *conf.Config, log *slog.Logger) (*consensus.Recovery, error) {
	return openRecovery(cfg, log, consensus.OpenRecovery)
}

// OpenSalvage looks at what is whole of the data of a server that is damaged, see
// consensus.OpenSalvage.
func OpenSalvage(cfg *conf.Config, log *slog.Logger, logLost bool) (*consensus.Recovery, error) {
	return openRecovery(cfg, log, func(c consensus.Config) (*consensus.Recovery, error) { return consensus.OpenSalvage(c, logLost) })
}

func openRecovery(cfg *conf.Config, log *slog.Logger, open func(consensus.Config) (*consensus.Recovery, error)) (*consensus.Recovery, error) {
	cfg, err := cfg.Complete()
	if err != nil {
		return nil, err
	}
	r, err := open(consensus.Config{
		ServerID: uint64(cfg.ServerID), SnapshotRequests: cfg.SnapCount, Logger: log,
		Store: store.Options{
			Dir:    filepath.Join(cfg.DataDir, storeName),
			LogDir: filepath.Join(cfg.DataLogDir, storeName),
			Engine: cfg.LogStore, RetainSnapshots: cfg.SnapRetainCount, NoSync: cfg.UnsafeNoSync, Logger: log,
		},
	})
	if err != nil {
		return nil, &dataError{err}
	}
	return r, nil
}

// Recovered is what came of a recovery.
type Recovered struct {
	Cluster, RaftID string // the new ones
	Zxid            int64  // of the last transaction that was saved
	Znodes          int
	Sessions        int
}

// Recover makes the server the only member of a new cluster.
func Recover(cfg *conf.Config, log *slog.Logger, r *consensus.Recovery) (done Recovered, err error) {
	if cfg, err = cfg.Complete(); err != nil {
		return Recovered{}, err
	}
	s := newServer(cfg, orDiscard(log), World{})
	s.state.failed = func(error) {} // Recover returns it
	if done.Cluster, done.RaftID, err = r.Recover(newMachine(s)); err != nil {
		return Recovered{}, &dataError{err}
	}
	done.Zxid = s.state.zxid
	done.Znodes, done.Sessions = s.state.tree.Counts().Znodes, s.state.table.Len()
	return done, nil
}
