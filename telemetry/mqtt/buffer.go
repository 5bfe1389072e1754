package mqtt

import (
	"net"
	"sync"
)

// Sizes of read buffers. A connection at rest keeps the small one; one that had more to read at once gets the
// large one until it is empty; a packet larger than that gets what it needs, as its bytes arrive.
const (
	smallBuffer = 2 << 10
	largeBuffer = 64 << 10
)

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// buffer is what was read from a connection and not yet parsed: b[r:w].
type buffer struct {
	b    []byte
	r, w int
}

func newBuffer() buffer { return buffer{b: smallBuffers.Get().(*[smallBuffer]byte)[:]} }

// unread returns what is there to parse. It is valid until the next fill.
func (b *buffer) unread() []byte { return b.b[b.r:b.w] }

// skip drops n bytes that were parsed.
func (b *buffer) skip(n int) { b.r += n }

// fill reads once from c, making room before.
func (b *buffer) fill(c net.Conn) error {
	b.room()
	n, err := c.Read(b.b[b.w:])
	b.w += n
	if n > 0 {
		return nil // an error will come again
	}
	return err
}

// room makes sure that something can be read.
func (b *buffer) room() {
	switch {
	case b.r == b.w:
		b.restart()
	case b.w < len(b.b):
	case b.r >= len(b.b)/2:
		b.w = copy(b.b, b.b[b.r:b.w])
		b.r = 0
	case len(b.b) < largeBuffer:
		b.become(largeBuffers.Get().(*[largeBuffer]byte)[:])
	default:
		b.become(make([]byte, 2*len(b.b)))
	}
}

// restart goes back to the beginning, in a buffer of the size that the last use asked for.
func (b *buffer) restart() {
	used, size := b.w, len(b.b)
	b.r, b.w = 0, 0
	switch {
	case size > largeBuffer, size == smallBuffer && used == size:
		b.become(largeBuffers.Get().(*[largeBuffer]byte)[:])
	case size == largeBuffer && used <= smallBuffer/2:
		b.become(smallBuffers.Get().(*[smallBuffer]byte)[:])
	}
}

// become moves what is left into another array.
func (b *buffer) become(other []byte) {
	w := copy(other, b.b[b.r:b.w])
	b.release()
	b.b, b.r, b.w = other, 0, w
}

// release gives the array back. Nothing cut out of it may be used afterwards.
func (b *buffer) release() {
	switch len(b.b) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(b.b))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(b.b))
	}
	b.b, b.r, b.w = nil, 0, 0
}
