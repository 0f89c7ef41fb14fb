package simulation

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"zkd/consensus/store"
)

// grows tells whether op needs room that the file does not have.
func grows(op store.Op) bool {
	fi, err := os.Lstat(op.Path)
	switch op.Kind {
	case store.OpCreate, store.OpMkdir: // what is there already takes no room
		return err != nil
	case store.OpWrite:
		return err == nil && op.Off+int64(op.Len) > fi.Size()
	}
	return false
}

// die ends the life of the process, and begins the next with what it leaves.
func (d *disk) die(how death) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := d.root
	close(d.view.gone)
	if err := d.next(); err != nil {
		return err
	}
	if d.hanging != nil { // what hangs from now on is of the new process
		d.hanging = make(chan struct{})
	}
	if how == killed {
		return d.leave(from)
	}
	err := d.lose(from)
	d.names = newNames()
	return err
}

// leave makes the new folder from what a killed process has written; it is as unsynced as before.
func (d *disk) leave(from string) error {
	if err := copyTree(from, d.root, nil, nil); err != nil {
		return err
	}
	for _, rel := range slices.Sorted(maps.Keys(d.names.now)) {
		ino, path := d.names.now[rel], filepath.Join(d.root, rel)
		left := ino.patches[:0]
		for i, p := range slices.Backward(ino.patches) {
			keep := len(p.old)
			if p.unborn {
				keep = 0
			} else if p.inflight {
				keep = d.rand.IntN(len(p.old) + 1)
			}
			if err := ino.undo(path, i, keep); err != nil {
				return err
			}
		}
		for _, p := range ino.patches {
			if !p.unborn {
				p.inflight = false
				left = append(left, p)
			}
		}
		ino.patches = left
	}
	return nil
}

// undo takes back a patch but for its first bytes.
func (ino *inode) undo(path string, i, keep int) error {
	p := ino.patches[i]
	if keep == len(p.old) {
		return nil
	}
	return edit(path, func(f *os.File) error {
		if _, err := f.WriteAt(p.old[keep:], p.off+int64(keep)); err != nil {
			return err
		}
		return f.Truncate(max(p.size, p.off+int64(keep)))
	})
}

func edit(path string, fn func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = fn(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// lose makes the new folder from what is durable and some of the rest.
func (d *disk) lose(from string) error {
	names := d.surviving()
	at := map[*inode]string{} // where the contents are
	for rel, ino := range d.names.now {
		at[ino] = filepath.Join(from, rel)
	}
	if err := copyTree(from, d.root, d.names.durable, names); err != nil {
		return err
	}
	lucky := d.rand.IntN(4) // 0: nothing unsynced is left, 1: all is
	for _, rel := range slices.Sorted(maps.Keys(names)) {
		ino, path := names[rel], filepath.Join(d.root, rel)
		if ino == nil {
			continue
		}
		if _, err := os.Lstat(filepath.Dir(path)); err != nil {
			continue // its directory is lost
		}
		if ino.dir {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
			continue
		}
		source := at[ino]
		if source == "" {
			source = ino.grave
		}
		if err := copyFile(source, path); err != nil {
			return err
		}
	}
	all := maps.Clone(d.names.now)
	maps.DeleteFunc(all, func(rel string, _ *inode) bool { _, ok := d.names.durable[rel]; return ok })
	maps.Copy(all, names)
	for _, rel := range slices.Sorted(maps.Keys(all)) {
		path := filepath.Join(d.root, rel)
		if _, err := os.Lstat(path); err != nil || all[rel] == nil {
			continue
		}
		if err := d.fray(all[rel], path, lucky); err != nil {
			return err
		}
	}
	return nil
}

// surviving draws what the names mean that have changed.
func (d *disk) surviving() map[string]*inode {
	names := maps.Clone(d.names.durable)
	how, upTo := d.rand.IntN(4), d.rand.IntN(len(d.names.changes)+1)
	for i, c := range d.names.changes {
		var kept bool
		switch how {
		case 0: // none
		case 1: // a journal keeps them in order
			kept = i < upTo
		default:
			kept = d.rand.IntN(2) == 0
		}
		if kept {
			maps.Copy(names, c.to)
		}
	}
	return names
}

// fray takes back some of what was written to a file and not synced: a sector is as it was at some time since the last
// sync.
func (d *disk) fray(ino *inode, path string, lucky int) error {
	if len(ino.patches) == 0 {
		return nil
	}
	return edit(path, func(f *os.File) error {
		kept := map[int64]int{} // sector: how many patches it has
		size := ino.patches[0].size
		for i, p := range slices.Backward(ino.patches) {
			for from := p.off; from < p.off+int64(len(p.old)); {
				sector := from / sectorSize
				to := min((sector+1)*sectorSize, p.off+int64(len(p.old)))
				n, drawn := kept[sector]
				if !drawn {
					n = d.drawKept(i+1, lucky)
					kept[sector] = n
				}
				if i >= n || p.unborn {
					if _, err := f.WriteAt(p.old[from-p.off:to-p.off], from); err != nil {
						return err
					}
				} else {
					size = max(size, to)
				}
				from = to
			}
		}
		fi, err := f.Stat()
		if err != nil || lucky == 1 && !ino.patches[0].unborn || lucky != 0 && d.rand.IntN(2) == 0 {
			return err
		}
		return f.Truncate(min(size, fi.Size()))
	})
}

// drawKept draws how many of n patches a sector has.
func (d *disk) drawKept(n, lucky int) int {
	switch lucky {
	case 0:
		return 0
	case 1:
		return n
	}
	return d.rand.IntN(n + 1)
}

// copyTree copies a folder. Of the changed names only directories are made, those that survive.
func copyTree(from, to string, changed, surviving map[string]*inode) error {
	all, err := tree(from, ".")
	if err != nil {
		return err
	}
	for _, rel := range all {
		ino := surviving[rel]
		if _, skip := changed[rel]; rel == "." || skip && (ino == nil || !ino.dir) {
			continue
		}
		source, path := filepath.Join(from, rel), filepath.Join(to, rel)
		fi, err := os.Lstat(source)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(filepath.Dir(path)); err != nil {
			continue // its directory comes later, if at all
		}
		switch {
		case fi.IsDir():
			err = os.Mkdir(path, 0o700)
		case fi.Mode().Type() == fs.FileMode(0):
			err = copyFile(source, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
