package mqtt

import (
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// arrival is a message from the broker, not acknowledged yet.
type arrival struct {
	message  paho.Message
	received time.Time
}

// inbox is where paho's handler leaves messages and one worker fetches them, all that are there at once. The two
// swap a pair of slices, so that neither waits for the other while there is room.
type inbox struct {
	limit int

	mu     sync.Mutex // guards what follows
	moved  *sync.Cond
	fresh  []arrival
	spare  []arrival
	closed bool
}

func newInbox(limit int) *inbox {
	b := &inbox{limit: limit}
	b.moved = sync.NewCond(&b.mu)
	return b
}

// put adds a message. It waits while there is no room; in a closed inbox the message is dropped, unacknowledged.
func (b *inbox) put(a arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.fresh) >= b.limit && !b.closed {
		b.moved.Wait()
	}
	if b.closed {
		return
	}
	b.fresh = append(b.fresh, a)
	b.moved.Broadcast()
}

// take waits for messages and returns all of them, until the next take. open is false when none will follow.
func (b *inbox) take() (all []arrival, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.fresh) == 0 && !b.closed {
		b.moved.Wait()
	}
	clear(b.spare)
	all = b.fresh
	b.fresh, b.spare = b.spare[:0], all
	b.moved.Broadcast()
	return all, !b.closed
}

// close ends waiting on both sides.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.moved.Broadcast()
}
