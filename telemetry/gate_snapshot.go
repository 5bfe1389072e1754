package telemetry

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
)

// ErrSnapshot says that bytes are no snapshot of a gate that this version can read.
var ErrSnapshot = errors.New("telemetry: unreadable gate snapshot")

// A snapshot is the magic, the number of vehicles, each vehicle by id (tenant and vehicle as text with length,
// newest time, number of marks, marks oldest first), and the CRC-32C of everything before.
const gateMagic = "outrider-gate-1\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Snapshot writes what the gate remembers. Equal gates write equal bytes.
func (g *Gate) Snapshot(w io.Writer) error {
	b := binary.AppendUvarint([]byte(gateMagic), uint64(len(g.passed)))
	for _, who := range slices.SortedFunc(maps.Keys(g.passed), comparePasserby) {
		b = g.passed[who].append(appendText(appendText(b, string(who.tenant)), string(who.vehicle)))
	}
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("telemetry: write gate snapshot: %w", err)
	}
	return nil
}

// Restore replaces what the gate remembers by a snapshot. On error, which is ErrSnapshot unless reading failed,
// the gate is as before. A smaller window than the snapshot's keeps the newest marks.
func (g *Gate) Restore(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("telemetry: read gate snapshot: %w", err)
	}
	if len(b) < len(gateMagic)+4 || !bytes.HasPrefix(b, []byte(gateMagic)) {
		return fmt.Errorf("%w: it does not begin as one", ErrSnapshot)
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return fmt.Errorf("%w: checksum does not match", ErrSnapshot)
	}
	passed, err := g.read(&snapshotReader{b: body[len(gateMagic):]})
	if err != nil {
		return err
	}
	g.passed = passed
	return nil
}

func (g *Gate) read(r *snapshotReader) (map[passerby]*passage, error) {
	passed := map[passerby]*passage{}
	for range r.uvarint() {
		who := passerby{TenantID(r.text()), VehicleID(r.text())}
		p := &passage{newest: int64(r.uint64())}
		for range r.uvarint() {
			if r.bad {
				break
			}
			p.remember(r.uint64(), g.window)
		}
		if r.bad {
			break
		}
		passed[who] = p
	}
	if r.bad || len(r.b) > 0 {
		return nil, fmt.Errorf("%w: cut or too long", ErrSnapshot)
	}
	return passed, nil
}

func (p *passage) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(p.newest))
	b = binary.AppendUvarint(b, uint64(len(p.marks)))
	for i := range p.marks {
		b = binary.BigEndian.AppendUint64(b, p.marks[(p.oldest+i)%len(p.marks)])
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func comparePasserby(a, b passerby) int {
	return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.vehicle, b.vehicle))
}

// snapshotReader reads what Snapshot wrote; at the first fault it turns bad and gives zeroes.
type snapshotReader struct {
	b   []byte
	bad bool
}

func (r *snapshotReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *snapshotReader) text() string { return string(r.take(r.uvarint())) }

func (r *snapshotReader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *snapshotReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}
