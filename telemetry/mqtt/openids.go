package mqtt

// openIDs are the packet ids of QoS 2 messages that were accepted and whose PUBREL has not come.
type openIDs [65536 / 64]uint64

// open reports whether the id was not open, and opens it.
func (s *openIDs) open(id uint16) bool {
	bit := uint64(1) << (id % 64)
	was := s[id/64] & bit
	s[id/64] |= bit
	return was == 0
}

// close closes an id. It may be unknown, and s nil: after a reconnect the device goes on where it was.
func (s *openIDs) close(id uint16) {
	if s != nil {
		s[id/64] &^= 1 << (id % 64)
	}
}
