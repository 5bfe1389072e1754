package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"

	"outrider/telemetry"
)

// batchVersion is the first byte of a batch. A reader that meets a version it does not know must stop: what is
// behind it may mean anything.
const batchVersion = 2

// batchNoBattery is the version before, whose fixes have no battery. It is still read.
const batchNoBattery = 1

// leastFix is the fewest bytes a fix takes: two empty texts, two short times, seven numbers and the flags in the version before. It
// bounds what damaged bytes can make a reader allocate.
const leastFix = 2 + 2 + 7*8 + 1

// ErrBatch says that bytes are no batch that this version can read.
var ErrBatch = errors.New("journal: unreadable batch")

// AppendBatch appends the binary form of the fixes to dst: a version byte, their number, then for each fix its
// tenant and vehicle as text with length, its times in milliseconds (Time) and microseconds (Received), and its
// numbers as IEEE 754 bits, so that NaN stays NaN.
func AppendBatch(dst []byte, fixes []telemetry.Fix) []byte {
	dst = AppendBatchHead(dst, len(fixes))
	for i := range fixes {
		dst = AppendFix(dst, &fixes[i])
	}
	return dst
}

// AppendBatchHead appends how a batch of n fixes begins. What n calls of [AppendFix] make must follow.
func AppendBatchHead(dst []byte, n int) []byte {
	return binary.AppendUvarint(append(dst, batchVersion), uint64(n))
}

// AppendFix appends a fix as it stands in a batch.
func AppendFix(dst []byte, f *telemetry.Fix) []byte {
	dst = appendText(dst, string(f.Tenant))
	dst = appendText(dst, string(f.Vehicle))
	dst = binary.AppendVarint(dst, f.Time.UnixMilli())
	dst = binary.AppendVarint(dst, f.Received.UnixMicro())
	for _, v := range [...]float64{f.Point[0], f.Point[1]} {
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(v))
	}
	for _, v := range [...]float64{f.Accuracy, f.Speed, f.Heading, f.Altitude, f.HDOP, f.Battery} {
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(v))
	}
	flags := byte(f.Ignition) & 3
	if f.Retained {
		flags |= 4
	}
	return append(dst, flags)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// DecodeBatch appends the fixes of a batch to dst. The error is an ErrBatch; dst is then as it was.
func DecodeBatch(dst []telemetry.Fix, batch []byte) ([]telemetry.Fix, error) {
	if len(batch) == 0 || batch[0] != batchVersion && batch[0] != batchNoBattery {
		return dst, fmt.Errorf("%w: version %v", ErrBatch, batch[:min(1, len(batch))])
	}
	d := batchReader{b: batch[1:], battery: batch[0] != batchNoBattery}
	n := d.uvarint()
	if n > uint64(len(batch)/leastFix) {
		return dst, fmt.Errorf("%w: it says to hold %d fixes in %d bytes", ErrBatch, n, len(batch))
	}
	all := dst
	for range n {
		all = append(all, d.fix())
	}
	if d.bad || len(d.b) > 0 {
		return dst, fmt.Errorf("%w: cut or too long", ErrBatch)
	}
	return all, nil
}

// batchReader reads what AppendBatch wrote; at the first fault it turns bad and gives zeroes.
type batchReader struct {
	b       []byte
	bad     bool
	battery bool // fixes have one
}

func (d *batchReader) fix() telemetry.Fix {
	var f telemetry.Fix
	f.Tenant = telemetry.TenantID(d.text())
	f.Vehicle = telemetry.VehicleID(d.text())
	f.Time = time.UnixMilli(d.varint()).UTC()
	f.Received = time.UnixMicro(d.varint()).UTC()
	f.Point = orb.Point{d.float(), d.float()}
	f.Accuracy, f.Speed, f.Heading, f.Altitude, f.HDOP = d.float(), d.float(), d.float(), d.float(), d.float()
	f.Battery = telemetry.Unknown()
	if d.battery {
		f.Battery = d.float()
	}
	if flags := d.take(1); flags != nil {
		f.Ignition = telemetry.Tristate(flags[0] & 3)
		f.Retained = flags[0]&4 != 0
	}
	return f
}

func (d *batchReader) take(n int) []byte {
	if d.bad || n > len(d.b) || n < 0 {
		d.bad = true
		return nil
	}
	head := d.b[:n]
	d.b = d.b[n:]
	return head
}

func (d *batchReader) text() string { return string(d.take(int(min(d.uvarint(), math.MaxInt32)))) }

func (d *batchReader) float() float64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b))
}

func (d *batchReader) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *batchReader) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}
