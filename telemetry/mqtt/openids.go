package mqtt

// openIDs are the packet ids of QoS 2 messages that were accepted and whose PUBREL has not come.
type openIDs struct {
	bits  [65536 / 64]uint64
	count int
}

// open reports whether the id was not open, and opens it.
func (s *openIDs) open(id uint16) bool {
	bit := uint64(1) << (id % 64)
	if s.bits[id/64]&bit != 0 {
		return false
	}
	s.bits[id/64] |= bit
	s.count++
	return true
}

// close closes an id. It may be unknown, and s nil: after a reconnect the device goes on where it was.
func (s *openIDs) close(id uint16) {
	if s == nil || s.bits[id/64]&(1<<(id%64)) == 0 {
		return
	}
	s.bits[id/64] &^= 1 << (id % 64)
	s.count--
}
