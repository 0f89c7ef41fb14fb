package simulation

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// names are the names of files and directories with what of them is not durable. Paths are relative to the folder.
type names struct {
	now     map[string]*inode // of those that matter
	durable map[string]*inode // of those that have changed since; nil: there was none
	changes []change          // not durable, oldest first
}

// change is one operation on names. It happens whole or not at all.
type change struct {
	dirs []string          // a sync of any makes it durable
	to   map[string]*inode // nil: no such name
}

func newNames() names { return names{now: map[string]*inode{}, durable: map[string]*inode{}} }

// inode is the file of a name.
func (n *names) inode(root, rel string) *inode {
	if ino := n.now[rel]; ino != nil {
		return ino
	}
	fi, err := os.Lstat(filepath.Join(root, rel))
	ino := &inode{dir: err == nil && fi.IsDir()}
	n.now[rel] = ino
	return ino
}

// change notes that names mean other files now.
func (n *names) change(to map[string]*inode) {
	c := change{to: to}
	for rel, ino := range to {
		if _, noted := n.durable[rel]; !noted {
			n.durable[rel] = n.now[rel]
		}
		if dir := filepath.Dir(rel); !slices.Contains(c.dirs, dir) {
			c.dirs = append(c.dirs, dir)
		}
		if ino == nil {
			delete(n.now, rel)
		} else {
			n.now[rel] = ino
		}
	}
	n.changes = append(n.changes, c)
}

// synced makes durable what has changed in a directory, and what that depends on.
func (n *names) synced(dir string) {
	needed := map[string]bool{}
	var left, kept []change
	for _, c := range slices.Backward(n.changes) {
		done := slices.Contains(c.dirs, dir)
		for rel := range c.to {
			done = done || needed[rel]
		}
		if !done {
			left = append(left, c)
			continue
		}
		kept = append(kept, c)
		for rel := range c.to {
			needed[rel] = true
		}
	}
	slices.Reverse(left)
	for _, c := range slices.Backward(kept) {
		maps.Copy(n.durable, c.to)
	}
	n.changes = left
	for rel := range n.durable { // what nothing is pending for
		if !slices.ContainsFunc(left, func(c change) bool { _, ok := c.to[rel]; return ok }) {
			delete(n.durable, rel)
		}
	}
}

func (n *names) create(d *disk, rel string, do func() error) error {
	path := filepath.Join(d.root, rel)
	if _, err := os.Lstat(path); err == nil {
		// It may be emptied, and what was in it come back.
		old := n.inode(d.root, rel)
		if err := d.bury(old, path, copyFile); err != nil {
			return err
		}
		if err := do(); err != nil {
			old.grave = ""
			return err
		}
	} else if err := do(); err != nil {
		return err
	}
	n.created(d.root, rel)
	return nil
}

func (n *names) created(root, rel string) {
	ino := &inode{}
	if fi, err := os.Lstat(filepath.Join(root, rel)); err == nil && fi.Size() > 0 {
		ino.patches = []*patch{{}} // its size is not durable either
	}
	n.change(map[string]*inode{rel: ino})
}

func (n *names) mkdir(root, rel string, do func() error) error {
	var fresh []string
	for at := rel; at != "."; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(root, at)); os.IsNotExist(err) {
			fresh = append(fresh, at)
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, at := range slices.Backward(fresh) {
		n.change(map[string]*inode{at: {dir: true}})
	}
	return nil
}

func (n *names) remove(d *disk, rel string, do func() error) error {
	if _, err := os.Lstat(filepath.Join(d.root, rel)); os.IsNotExist(err) {
		return do()
	}
	all, err := tree(d.root, rel)
	if err != nil {
		return err
	}
	to := map[string]*inode{}
	for _, at := range all {
		if err := d.bury(n.inode(d.root, at), filepath.Join(d.root, at), os.Link); err != nil {
			return err
		}
		to[at] = nil
	}
	if err := do(); err != nil {
		for _, at := range all {
			n.now[at].grave = ""
		}
		return err
	}
	n.change(to)
	return nil
}

func (n *names) rename(d *disk, from, into string, do func() error) error {
	all, err := tree(d.root, from)
	if err != nil {
		return do() // it says what is wrong
	}
	var old *inode
	if _, err := os.Lstat(filepath.Join(d.root, into)); err == nil {
		old = n.inode(d.root, into)
		if err := d.bury(old, filepath.Join(d.root, into), os.Link); err != nil {
			return err
		}
	}
	to := map[string]*inode{}
	for _, at := range all {
		below, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		to[filepath.Join(into, below)] = n.inode(d.root, at)
		to[at] = nil
	}
	if err := do(); err != nil {
		if old != nil {
			old.grave = ""
		}
		return err
	}
	n.change(to)
	return nil
}

// bury keeps the contents of a file that is about to lose its name.
func (d *disk) bury(ino *inode, path string, keep func(from, to string) error) error {
	if ino.dir {
		return nil
	}
	d.buried++
	grave := filepath.Join(d.base, graves, fmt.Sprint(d.buried))
	if err := keep(path, grave); err != nil {
		return err
	}
	ino.grave = grave
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}
