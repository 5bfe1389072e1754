package local

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"outrider/journal"
	"outrider/telemetry"
)

// A segment file holds records, one after the other:
//
//	length    uint32  of what follows the checksum
//	checksum  uint32  CRC-32C of what follows it
//	version   uint8   recordVersion
//	first     uint64  position of the record's first entry
//	count     uint32  how many entries it holds
//	back      uint32  how many bytes before this record its group begins
//	partition uint16
//	body      journal.AppendBatch
//
// The records of a group are written by one call and made durable by one fsync, so a group whose successor has
// begun is whole on a sound disk. back tells which group a record belongs to: behind a record that cannot be
// read, one of the same group says nothing, since a disk writes the parts of a group in any order; one of a later
// group says that something acknowledged is damaged.
//
// The first record of a segment is a mark, a group of its own: partition is markPartition, count is 0, and the
// body lists for each partition the position after its newest entry.
const (
	recordVersion = 1
	headBytes     = 8
	metaBytes     = 19
	markPartition = 1<<16 - 1
	// longestRecord bounds what a damaged length can make a reader allocate; groups are far smaller.
	longestRecord = 64 << 20
)

// errTorn says that a segment ends, or is damaged, inside a record.
var errTorn = errors.New("journal: torn record")

// errVersion says that a record was written by a newer version of the program.
var errVersion = errors.New("journal: written by another version of this program, which must read it")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one record as it was read. body is only valid until the next one is read.
type record struct {
	offset    int64
	first     journal.Position
	count     uint32
	back      uint32
	partition int
	body      []byte
}

// end is the position after the record's last entry.
func (r *record) end() journal.Position { return r.first + journal.Position(r.count) }

// group is the offset at which the record's group begins.
func (r *record) group() int64 { return r.offset - int64(r.back) }

// appendRecord appends a record to a group, which dst holds from its beginning; body appends the body.
func appendRecord(dst []byte, first journal.Position, count, partition int, body func([]byte) []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, headBytes)...)
	dst = append(dst, recordVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(first))
	dst = binary.BigEndian.AppendUint32(dst, uint32(count))
	dst = binary.BigEndian.AppendUint32(dst, uint32(at))
	dst = binary.BigEndian.AppendUint16(dst, uint16(partition))
	dst = body(dst)
	checked := dst[at+headBytes:]
	binary.BigEndian.PutUint32(dst[at:], uint32(len(checked)))
	binary.BigEndian.PutUint32(dst[at+4:], crc32.Checksum(checked, castagnoli))
	return dst
}

// appendBatch appends the record of a partition's fixes.
func appendBatch(dst []byte, first journal.Position, partition int, fixes []telemetry.Fix) []byte {
	return appendRecord(dst, first, len(fixes), partition, func(dst []byte) []byte {
		return journal.AppendBatch(dst, fixes)
	})
}

// appendMark appends the mark with which a segment begins.
func appendMark(dst []byte, first journal.Position, nexts []journal.Position) []byte {
	return appendRecord(dst, first, 0, markPartition, func(dst []byte) []byte {
		for _, at := range nexts {
			dst = binary.BigEndian.AppendUint64(dst, uint64(at))
		}
		return dst
	})
}

// readMark is the reverse of appendMark; false when the record is no mark of so many partitions.
func readMark(r *record, nexts []journal.Position) bool {
	if r.partition != markPartition || len(r.body) != 8*len(nexts) {
		return false
	}
	for i := range nexts {
		nexts[i] = journal.Position(binary.BigEndian.Uint64(r.body[8*i:]))
	}
	return true
}

// parseRecord reads what follows a record's checksum. Its error is errTorn or errVersion.
func parseRecord(checked []byte, checksum uint32) (record, error) {
	if crc32.Checksum(checked, castagnoli) != checksum {
		return record{}, errTorn
	}
	if checked[0] != recordVersion {
		return record{}, errVersion
	}
	return record{
		first: journal.Position(binary.BigEndian.Uint64(checked[1:])),
		count: binary.BigEndian.Uint32(checked[9:]), back: binary.BigEndian.Uint32(checked[13:]),
		partition: int(binary.BigEndian.Uint16(checked[17:])), body: checked[metaBytes:],
	}, nil
}

// lengthOf reads a record's length; false if no record is that long or short.
func lengthOf(head []byte) (int, bool) {
	n := binary.BigEndian.Uint32(head)
	return int(n), n >= metaBytes && n <= longestRecord
}

// recordReader reads the records of a segment.
type recordReader struct {
	r      *bufio.Reader
	offset int64 // of the next record
	buf    []byte
}

// newRecordReader reads records from r, whose first byte is at offset of the segment.
func newRecordReader(r io.Reader, offset int64) *recordReader {
	return &recordReader{r: bufio.NewReaderSize(r, 64<<10), offset: offset}
}

// next returns the next record, io.EOF at a clean end, errTorn, errVersion, or what the disk answered.
func (rr *recordReader) next() (record, error) {
	var head [headBytes]byte
	if _, err := io.ReadFull(rr.r, head[:]); err != nil {
		return record{}, ended(err)
	}
	length, ok := lengthOf(head[:])
	if !ok {
		return record{}, errTorn
	}
	if cap(rr.buf) < length {
		rr.buf = make([]byte, length)
	}
	checked := rr.buf[:length]
	if _, err := io.ReadFull(rr.r, checked); errors.Is(err, io.EOF) {
		return record{}, errTorn
	} else if err != nil {
		return record{}, ended(err)
	}
	rec, err := parseRecord(checked, binary.BigEndian.Uint32(head[4:]))
	if err != nil {
		return record{}, err
	}
	rec.offset = rr.offset
	rr.offset += int64(headBytes + length)
	return rec, nil
}

// ended tells a clean end from one inside a record, and both from a failing disk.
func ended(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTorn
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return fmt.Errorf("journal: read segment: %w", err)
}

// laterGroup reports whether a record of a group that began behind offset stands anywhere in rest, which begins
// at offset of the segment.
func laterGroup(rest []byte, offset int64) bool {
	for i := 1; i+headBytes+metaBytes <= len(rest); i++ {
		length, ok := lengthOf(rest[i:])
		if !ok || length > len(rest)-i-headBytes {
			continue
		}
		// PERF: the version byte first; only one in 256 places of what is no record is worth a checksum.
		checked := rest[i+headBytes : i+headBytes+length]
		if checked[0] != recordVersion {
			continue
		}
		rec, err := parseRecord(checked, binary.BigEndian.Uint32(rest[i+4:]))
		if rec.offset = offset + int64(i); err == nil && rec.group() > offset {
			return true
		}
	}
	return false
}
