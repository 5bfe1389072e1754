package local

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"outrider/journal"
)

// A segment file is named after the position of its first entry. It holds records:
//
//	length   uint32  of what follows the checksum
//	checksum uint32  CRC-32C of what follows it
//	first    uint64  position of the record's first entry
//	part     uint16  partition
//	batch    journal.AppendBatch
const (
	headBytes = 8
	metaBytes = 10
	// longestRecord bounds what a damaged length can make a reader allocate.
	longestRecord = 64 << 20
	segmentSuffix = ".seg"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segment is one file of the log.
type segment struct {
	path  string
	first journal.Position // of its first entry
	size  int64
}

func segmentPath(dir string, first journal.Position) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", uint64(first), segmentSuffix))
}

// listSegments returns the segments of a directory in order.
func listSegments(dir string) ([]segment, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []segment
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		if !ok {
			continue
		}
		first, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("journal: %s is no segment of this journal", filepath.Join(dir, f.Name()))
		}
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, segment{filepath.Join(dir, f.Name()), journal.Position(first), info.Size()})
	}
	slices.SortFunc(all, func(a, b segment) int { return int(int64(a.first) - int64(b.first)) })
	return all, nil
}

// appendRecord appends a record to dst; body writes the batch.
func appendRecord(dst []byte, first journal.Position, partition int, body func([]byte) []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, headBytes)...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(first))
	dst = binary.BigEndian.AppendUint16(dst, uint16(partition))
	dst = body(dst)
	checked := dst[at+headBytes:]
	binary.BigEndian.PutUint32(dst[at:], uint32(len(checked)))
	binary.BigEndian.PutUint32(dst[at+4:], crc32.Checksum(checked, castagnoli))
	return dst
}

// record is one record as it was read. batch is only valid until the next one is read.
type record struct {
	offset    int64
	first     journal.Position
	partition int
	batch     []byte
}

// errTorn says that a segment ends, or is damaged, inside a record.
var errTorn = errors.New("journal: torn record")

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

// next returns the next record, io.EOF at a clean end, or errTorn.
func (rr *recordReader) next() (record, error) {
	var head [headBytes]byte
	if _, err := io.ReadFull(rr.r, head[:]); err != nil {
		return record{}, ended(err)
	}
	length := int(binary.BigEndian.Uint32(head[:]))
	if length < metaBytes || length > longestRecord {
		return record{}, errTorn
	}
	if cap(rr.buf) < length {
		rr.buf = make([]byte, length)
	}
	body := rr.buf[:length]
	if _, err := io.ReadFull(rr.r, body); err != nil {
		return record{}, ended(errors.Join(err, io.ErrUnexpectedEOF))
	}
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return record{}, errTorn
	}
	rec := record{
		offset: rr.offset, first: journal.Position(binary.BigEndian.Uint64(body)),
		partition: int(binary.BigEndian.Uint16(body[8:])), batch: body[metaBytes:],
	}
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

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
