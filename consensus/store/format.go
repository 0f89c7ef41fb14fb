package store

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	formatName    = "FORMAT"
	formatVersion = 1

	// EngineWAL and EngineBolt are the values of Options.Engine.
	EngineWAL  = "wal"
	EngineBolt = "bolt"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// format is what a directory says about itself, written once at creation:
//
//	zkd-store 1
//	engine wal
//	id 3f0c…            16 random bytes, the same in Dir and LogDir
//	crc 8a1b2c3d        CRC32C of the lines above
//
// The id ties a log directory to its vote file: a server started with somebody
// else's log, or with an empty one, would forget what it acknowledged.
type format struct {
	engine string
	id     [16]byte
}

// salt seeds the checksums that must not be forgeable by a client's data, and
// makes blocks that belong to another directory fail their check.
func (f format) salt() uint32 { return binary.LittleEndian.Uint32(f.id[:4]) }

func (f format) encode() []byte {
	s := fmt.Sprintf("zkd-store %d\nengine %s\nid %x\n", formatVersion, f.engine, f.id)
	return fmt.Appendf([]byte(s), "crc %08x\n", crc32.Checksum([]byte(s), castagnoli))
}

func decodeFormat(b []byte) (format, error) {
	var f format
	text := string(b)
	at := strings.Index(text, "crc ")
	if at < 0 || len(text) > 4*kib {
		return f, fmt.Errorf("%w: no checksum line", ErrCorrupt)
	}
	var version int
	var engine, id, crc string
	if _, err := fmt.Sscanf(text, "zkd-store %d\nengine %s\nid %s\ncrc %s\n", &version, &engine, &id, &crc); err != nil {
		return f, fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	if want := fmt.Sprintf("%08x", crc32.Checksum(b[:at], castagnoli)); crc != want {
		return f, fmt.Errorf("%w: checksum is %q, contents give %s", ErrCorrupt, crc, want)
	}
	if version != formatVersion {
		return f, fmt.Errorf("%w: format version %d, this zkd knows %d", ErrEngine, version, formatVersion)
	}
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(f.id) {
		return f, fmt.Errorf("%w: bad id %q", ErrCorrupt, id)
	}
	copy(f.id[:], raw)
	f.engine = engine
	return f, nil
}

func (d files) readFormat(dir string) (format, bool, error) {
	path := filepath.Join(dir, formatName)
	b, err := d.readFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return format{}, false, nil
	}
	if err != nil {
		return format{}, false, fmt.Errorf("store: read %s: %w", path, err)
	}
	f, err := decodeFormat(b)
	if err != nil {
		return format{}, false, fmt.Errorf("store: read %s: %w", path, err)
	}
	return f, true, nil
}

// settleFormat reads the format of both directories, or writes it when they are
// new, and checks it against the options. created says whether the vote file
// exists, which is made last: until then a crash may have left any part of a
// creation behind, and redoing it loses nothing.
func (d files) settleFormat(dir, logDir, engine string, created bool) (format, error) {
	f, ok, err := d.readFormat(dir)
	if err != nil {
		return f, err
	}
	if !ok {
		if err := refuseOrphans(dir, logDir); err != nil {
			return f, err
		}
		f.engine = engine
		if _, err := rand.Read(f.id[:]); err != nil {
			return f, fmt.Errorf("store: choose an id for %s: %w", dir, err)
		}
		if err := d.replace(filepath.Join(dir, formatName), f.encode()); err != nil {
			return f, err
		}
	}
	if f.engine != engine {
		return f, fmt.Errorf("store: %w: %s was created with log engine %q and is now opened with %q; the engine of a data directory cannot be changed",
			ErrEngine, dir, f.engine, engine)
	}
	if created {
		return f, d.requireLog(f, dir, logDir)
	}
	if logDir == dir {
		return f, nil
	}
	return f, d.settleLogFormat(f, dir, logDir)
}

// noLog is the error where the place of a log has none of any store: it is
// elsewhere, or lost. Nothing but the operator can tell which.
type noLog struct{ error }

func (e noLog) Unwrap() error { return e.error }

// ifLost ends the text of a noLog.
const ifLost = "Where the log is lost for good, see zkd recover --damaged --log-lost, or let a member of an ensemble start without raft and raft.id"

// requireLog tells a store whose log is elsewhere, or is another's, from one
// whose log is damaged: what is wrong there is the configuration, or a mount.
// f is the format of dir, whose creation was complete.
func (d files) requireLog(f format, dir, logDir string) error {
	here, err := hasLog(dir)
	if err != nil {
		return err
	}
	if dir == logDir {
		if here {
			return nil
		}
		return noLog{fmt.Errorf("store: %w: %s belongs to a server that has a log, and none is there: was a dataLogDir line taken out of the configuration? "+
			"Then put it back. %s", ErrEngine, dir, ifLost)}
	}
	lf, ok, err := d.readFormat(logDir)
	switch {
	case err != nil:
		return err
	case ok && lf != f:
		return otherLog(dir, logDir)
	case ok:
		return nil
	case here:
		return fmt.Errorf("store: %w: the log of this server is in %s, and not in the log directory %s: was a dataLogDir line added to the configuration? Then take it out",
			ErrEngine, dir, logDir)
	}
	there, err := hasLog(logDir)
	if err != nil {
		return err
	}
	if there {
		return fmt.Errorf("store: %w: a log is in %s, but %s is missing", ErrCorrupt, logDir, filepath.Join(logDir, formatName))
	}
	return noLog{fmt.Errorf("store: %w: log directory %s holds no log, but %s belongs to a server that has one (was it moved, or not mounted?). %s",
		ErrEngine, logDir, dir, ifLost)}
}

func otherLog(dir, logDir string) error {
	return fmt.Errorf("store: %w: log directory %s belongs to another data directory than %s", ErrEngine, logDir, dir)
}

// hasLog tells whether any part of a log is in a directory.
func hasLog(dir string) (bool, error) {
	names, err := storeFiles(dir)
	return slices.ContainsFunc(names, func(name string) bool {
		return name == walMetaName || name == boltLogName || strings.HasSuffix(name, ".wal")
	}), err
}

// settleLogFormat is part of the creation of a store.
func (d files) settleLogFormat(f format, dir, logDir string) error {
	lf, ok, err := d.readFormat(logDir)
	switch {
	case err != nil:
		return err
	case !ok:
		return d.replace(filepath.Join(logDir, formatName), f.encode())
	case lf != f:
		return otherLog(dir, logDir)
	}
	return nil
}

// refuseOrphans guards a directory whose FORMAT file is gone: formatting it
// anew would make its log and votes unreadable.
func refuseOrphans(dir, logDir string) error {
	for _, path := range []string{
		filepath.Join(dir, stableName), filepath.Join(logDir, walMetaName), filepath.Join(logDir, boltLogName),
	} {
		there, err := exists(path)
		if err != nil {
			return err
		}
		if there {
			return fmt.Errorf("store: %s exists, but %s is missing: %w", path, filepath.Join(dir, formatName), ErrCorrupt)
		}
	}
	return nil
}
