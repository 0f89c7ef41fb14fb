package server

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// inbox takes in frames. One read takes as many as have arrived. While a
// client is silent its inbox holds no buffer.
type inbox struct {
	nc    net.Conn
	raw   syscall.RawConn // nil where bytes cannot come straight from a socket
	limit int             // longest frame

	few        []byte // of a frame that is not whole, in place of buf
	buf        []byte
	begin, end int // of the bytes not yet taken
	last       int // where the frame taken last begins; until fill

	// A frame longer than readBuffer takes part of what all connections have
	// for such. begun is when that was, or when a piece of it last came, 0 if none
	// is under way.
	from  lender // nil: take as much as is needed
	part  int64
	begun atomic.Int64
	came  int // bytes since begun

	ready func(fd uintptr) bool // readReady, made once
	n     int                   // result of readReady
	err   error
}

// lender is where memory for long frames comes from. takeRequest waits for it,
// and returns 0 if the connection ends meanwhile.
type lender interface {
	takeRequest(n int64) int64
	giveRequest(n int64)
	now() time.Duration
}

const readBuffer = 32 << 10

var readBuffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}

// errFrame is a length that no frame may have.
var errFrame = errors.New("frame length out of range")

func newInbox(nc net.Conn, raw syscall.RawConn, limit int) inbox {
	return inbox{nc: nc, raw: raw, limit: limit}
}

// next returns the next whole frame that has been read, without its length.
// It is valid until fill. Without one it returns nil, and errFrame if what
// comes next cannot be a frame.
func (in *inbox) next() ([]byte, error) {
	n, ok := in.frameLen()
	if !ok {
		return nil, nil
	}
	if n < 0 || n > in.limit {
		return nil, errFrame
	}
	if in.end-in.begin < 4+n {
		return nil, nil
	}
	frame := in.buf[in.begin+4 : in.begin+4+n : in.begin+4+n]
	in.last = in.begin
	in.begin += 4 + n
	in.begun.Store(0)
	return frame, nil
}

// ahead calls look with the frame taken last and those behind it that have been
// read whole, n at most, until look returns false.
func (in *inbox) ahead(n int, look func(frame []byte) bool) {
	for at := in.last; n > 0 && in.end-at >= 4; n-- {
		size := int(int32(binary.BigEndian.Uint32(in.buf[at:])))
		if size < 0 || size > in.end-at-4 || !look(in.buf[at+4:at+4+size]) {
			return
		}
		at += 4 + size
	}
}

func (in *inbox) frameLen() (int, bool) {
	if in.end-in.begin < 4 {
		return 0, false
	}
	return int(int32(binary.BigEndian.Uint32(in.buf[in.begin:]))), true
}

// fill reads more, blocking until there is some.
func (in *inbox) fill() error {
	if err := in.makeRoom(); err != nil {
		return err
	}
	if in.raw == nil {
		in.borrow()
		n, err := in.nc.Read(in.buf[in.end:])
		in.got(n)
		if n > 0 {
			return nil
		}
		return err
	}
	if in.ready == nil {
		in.ready = in.readReady
	}
	in.n, in.err = 0, nil
	if err := in.raw.Read(in.ready); err != nil {
		return err
	}
	if in.err != nil {
		return in.err
	}
	if in.n == 0 {
		return io.EOF
	}
	in.got(in.n)
	return nil
}

// got counts bytes that have come.
func (in *inbox) got(n int) {
	in.end += n
	if in.part == 0 {
		return
	}
	if in.came += n; in.came >= piece || in.begun.Load() == 0 {
		in.mark()
	}
}

// mark begins the time in which the next piece of a long frame has to come.
func (in *inbox) mark() {
	in.came = 0
	in.begun.Store(int64(max(in.from.now(), 1)))
}

// stalled tells whether a long frame is under way, and little of it has come
// since then. Any goroutine may ask.
func (in *inbox) stalled(since time.Duration) bool {
	begun := in.begun.Load()
	return begun > 0 && time.Duration(begun) < since
}

// readReady is called by the runtime at once and then whenever the socket may
// have become readable.
func (in *inbox) readReady(fd uintptr) bool {
	in.borrow()
	in.n, in.err = readSocket(fd, in.buf[in.end:])
	if in.err == syscall.EAGAIN {
		in.err = nil
		in.setAside()
		in.release()
		return false
	}
	return true
}

func (in *inbox) borrow() {
	if in.buf == nil {
		in.buf = readBuffers.Get().(*[readBuffer]byte)[:]
		in.end = copy(in.buf, in.few)
		in.few = nil
	}
}

// fewBytes are not worth a buffer of readBuffer while the rest is waited for.
const fewBytes = 512

// setAside keeps the beginning of a frame without the buffer, if it is short:
// many clients may say a little and then nothing.
func (in *inbox) setAside() {
	if n := in.end - in.begin; n > 0 && n <= fewBytes && len(in.buf) == readBuffer {
		in.few = append(make([]byte, 0, n), in.buf[in.begin:in.end]...)
		in.begin = in.end
	}
}

// release gives the buffer back if nothing is in it.
func (in *inbox) release() {
	if in.begin < in.end || in.buf == nil {
		return
	}
	in.drop()
}

// drop gives the buffer back, and what was taken for it.
func (in *inbox) drop() {
	if b := in.buf; len(b) == readBuffer {
		readBuffers.Put((*[readBuffer]byte)(b))
	}
	in.buf, in.begin, in.end = nil, 0, 0
	in.begun.Store(0)
	in.giveBack()
}

func (in *inbox) giveBack() {
	if in.part > 0 {
		in.from.giveRequest(in.part)
		in.part = 0
	}
}

// makeRoom moves a frame that is not whole yet to the front, into a larger
// buffer if it fills the one it has. Buffers grow with what has arrived, not
// with what a length claims. It fails if the connection ends while it waits for
// memory.
func (in *inbox) makeRoom() error {
	if in.begin == in.end {
		in.release()
		return nil
	}
	n, _ := in.frameLen()
	long := 4+n > readBuffer
	size := len(in.buf)
	switch {
	case !long && size > readBuffer:
		rest := in.buf[in.begin:in.end] // less than a frame, which is short
		in.buf = nil
		in.swap(readBuffers.Get().(*[readBuffer]byte)[:], rest)
		in.giveBack()
		return nil
	case long && in.from != nil && in.part == 0 && size == readBuffer && in.end-in.begin > size-size/4:
		if in.part = in.from.takeRequest(int64(4 + n)); in.part == 0 {
			return net.ErrClosed
		}
		in.mark() // also for one that sends nothing from here on
	}
	if in.end-in.begin > size-size/4 {
		size = min(2*size, max(4+n, readBuffer))
	}
	if size != len(in.buf) {
		old := in.buf
		in.swap(make([]byte, size), old[in.begin:in.end])
		if len(old) == readBuffer {
			readBuffers.Put((*[readBuffer]byte)(old))
		}
		return nil
	}
	in.end = copy(in.buf, in.buf[in.begin:in.end])
	in.begin = 0
	return nil
}

// swap replaces the buffer by another, with these bytes.
func (in *inbox) swap(buf, rest []byte) {
	in.buf, in.begin, in.end = buf, 0, copy(buf, rest)
}
