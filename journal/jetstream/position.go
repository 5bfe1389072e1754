package jetstream

import "outrider/journal"

// indexBits of a position are the index within the batch, the rest is the sequence of the message.
const indexBits = 16

// most fixes of one batch: the position behind the last one must still be the batch's.
const mostFixes = 1<<indexBits - 1

func position(seq uint64, index int) journal.Position {
	return journal.Position(seq<<indexBits | uint64(index))
}

func sequence(p journal.Position) uint64 { return uint64(p) >> indexBits }
