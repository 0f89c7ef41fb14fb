package main

import "fmt"

// keyed sends one of a set of prepared requests, chosen at random.
type keyed struct {
	frames [][]byte
	rnd    random
	verify func(body []byte) error
}

func (k *keyed) next(dst []byte, xid int32) []byte {
	return appendFrame(dst, k.frames[k.rnd.below(len(k.frames))], xid)
}

func (k *keyed) check(body []byte) error { return k.verify(body) }

func newKeyed(frames [][]byte, verify func(body []byte) error) func(session int) source {
	return func(session int) source {
		return &keyed{frames: frames, rnd: newRandom(session), verify: verify}
	}
}

func newGet(w workloadParams) func(int) source {
	frames := w.keyFrames(func(p string) []byte { return readFrame(opGetData, p, false) })
	return newKeyed(frames, func(body []byte) error { return wantData(body, w.data) })
}

func newExists(w workloadParams) func(int) source {
	return newKeyed(w.keyFrames(func(p string) []byte { return readFrame(opExists, p, false) }), wantStat)
}

func newSet(w workloadParams) func(int) source {
	return newKeyed(w.keyFrames(func(p string) []byte { return setFrame(p, w.data) }), wantStat)
}

const familySize = 10

func prepareFamily(c *client, _ workloadParams) error {
	for i := range familySize {
		if err := ensurePath(c, fmt.Sprintf("%s/family/child%04d", benchRoot, i)); err != nil {
			return err
		}
	}
	return nil
}

func newChildren(workloadParams) func(int) source {
	return newKeyed([][]byte{readFrame(opGetChildren, benchRoot+"/family", false)}, wantFamily)
}

func wantFamily(body []byte) error {
	if len(body) < lengthSize || getInt(body) != familySize {
		return fmt.Errorf("not %d children", familySize)
	}
	return nil
}
