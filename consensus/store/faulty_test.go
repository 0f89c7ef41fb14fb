package store

import "strings"

// faulty is the machine's disk with faults. Its fields may change while nobody
// uses it.
type faulty struct {
	before func(Op) error                           // refuses an operation; nil: none
	around func(op Op, do func() error) (err error) // performs it; nil: just so
}

func (d *faulty) Do(op Op, do func() error) error {
	if d.before != nil {
		if err := d.before(op); err != nil {
			return err
		}
	}
	if d.around != nil {
		return d.around(op, do)
	}
	return do()
}

func (d *faulty) Room(dir string) (free, total int64, err error) { return freeBytes(dir) }
func (d *faulty) SegmentSize() int64                             { return 0 }

// faults is a disk that asks fault before operations of a kind on files whose
// path contains part.
func faults(kind OpKind, part string, fault func() error) *faulty {
	return &faulty{before: func(op Op) error {
		if op.Kind == kind && strings.Contains(op.Path, part) {
			return fault()
		}
		return nil
	}}
}

// opKind is the kind of that name.
func opKind(name string) OpKind {
	for i, n := range opNames {
		if n == name {
			return OpKind(i)
		}
	}
	panic("no operation is called " + name)
}
