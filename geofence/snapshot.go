package geofence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
)

// snapshotMagic begins every snapshot; its last byte is the version of the format.
const snapshotMagic = "outrider tracker \x02"

// ErrSnapshot is what [Tracker.Restore] wraps: the bytes are no snapshot of this version, or damaged.
var ErrSnapshot = errors.New("geofence: invalid snapshot")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Snapshot writes the whole state: vehicles, memberships, evidence, timers, and changes not yet asked for.
// The form is binary, begins with a version and ends with a checksum. Fences are not in it, only their ids.
func (t *Tracker) Snapshot(w io.Writer) error {
	c := &coder{buf: append(make([]byte, 0, 64+len(t.vehicles)*256), snapshotMagic...)}
	t.code(c)
	c.buf = binary.LittleEndian.AppendUint32(c.buf, crc32.Checksum(c.buf, castagnoli))
	if _, err := w.Write(c.buf); err != nil {
		return fmt.Errorf("geofence: snapshot: %w", err)
	}
	return nil
}

// Restore takes over the state of a snapshot; what the tracker knew before is gone. With the same index and
// options it then answers exactly as the tracker that wrote it. Memberships of fences that the index does
// not hold are dropped; those of edited fences are taken anew, silently. On error the tracker is unchanged.
func (t *Tracker) Restore(r io.Reader) error {
	buf, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("geofence: restore: %w", err)
	}
	body := len(buf) - 4
	if body < len(snapshotMagic) || !bytes.HasPrefix(buf, []byte(snapshotMagic)) {
		return fmt.Errorf("%w: unknown format or version", ErrSnapshot)
	}
	if crc32.Checksum(buf[:body], castagnoli) != binary.LittleEndian.Uint32(buf[body:]) {
		return fmt.Errorf("%w: checksum differs", ErrSnapshot)
	}
	fresh := &Tracker{ix: t.ix, revision: t.revision, margins: t.margins, handles: map[string]Vehicle{}, edition: 1, edited: edited{all: 1}}
	c := &coder{buf: buf[len(snapshotMagic):body], reading: true}
	fresh.code(c)
	if c.err != nil || len(c.buf) != 0 {
		return fmt.Errorf("%w: length differs", ErrSnapshot)
	}
	fresh.rebind()
	if fresh.now > 0 {
		fresh.attend(fresh.now)
	}
	*t = *fresh
	return nil
}

// rebind finds the restored fences in the index.
func (t *Tracker) rebind() {
	for i, id := range t.ids {
		t.handles[id] = Vehicle(i)
		v := &t.vehicles[i]
		v.rebind(t.ix)
		if v.past != nil {
			v.past.base.rebind(t.ix)
			v.past.next.rebind(t.ix)
		}
	}
}

// rebind gives every tie the reference its fence has in ix.
func (s *state) rebind(ix *Index) {
	s.ties = slices.DeleteFunc(s.ties, func(x tie) bool {
		_, ok := ix.Lookup(x.id)
		return !ok
	})
	for i := range s.ties {
		s.ties[i].ref, _ = ix.Lookup(s.ties[i].id)
	}
	slices.SortFunc(s.ties, func(a, b tie) int { return int(a.ref) - int(b.ref) })
}

// code writes or reads the tracker: one description for both directions.
func (t *Tracker) code(c *coder) {
	c.int(&t.now)
	n := c.length(len(t.vehicles))
	t.vehicles = resize(t.vehicles, n)
	t.ids = resize(t.ids, n)
	for i := range t.vehicles {
		c.text(&t.ids[i])
		t.vehicles[i].code(c)
	}
	t.timers.heap = resize(t.timers.heap, c.length(len(t.timers.heap)))
	for i := range t.timers.heap {
		x := &t.timers.heap[i]
		c.int(&x.at)
		code32(c, &x.vehicle)
		code8(c, &x.kind)
	}
	t.codeAlarms(c)
	t.changed = resize(t.changed, c.length(len(t.changed)))
	for i := range t.changed {
		x := &t.changed[i]
		code32(c, &x.Vehicle)
		codeText(c, &x.Fence)
		code8(c, &x.Membership)
		c.int(&x.Since)
	}
}

// codeAlarms writes or reads which timers of watched vehicles count.
func (t *Tracker) codeAlarms(c *coder) {
	vehicles := slices.Sorted(maps.Keys(t.alarms))
	vehicles = resize(vehicles, c.length(len(vehicles)))
	if c.reading {
		t.alarms = make(map[Vehicle]int64, len(vehicles))
	}
	for _, v := range vehicles {
		at := t.alarms[v]
		code32(c, &v)
		c.int(&at)
		t.alarms[v] = at
	}
}

func (v *vehicle) code(c *coder) {
	v.state.code(c)
	k := &v.clock
	c.int(&k.since)
	c.int(&k.last)
	code32(c, &k.now)
	code32(c, &k.old)
	code8(c, &k.same)
	c.bool(&k.heard)
	v.codePast(c)
}

// codePast writes or reads the past, if there is one.
func (v *vehicle) codePast(c *coder) {
	has := v.past != nil
	c.bool(&has)
	if !has {
		return
	}
	if c.reading {
		v.past = &past{}
	}
	v.past.code(c)
}

func (p *past) code(c *coder) {
	p.base.code(c)
	p.next.code(c)
	p.log = resize(p.log, c.length(len(p.log)))
	for i := range p.log {
		p.log[i].code(c)
	}
	p.told = resize(p.told, c.length(len(p.told)))
	for i := range p.told {
		x := &p.told[i]
		codeText(c, &x.fence)
		c.int(&x.at)
		code8(c, &x.kind)
	}
	for _, x := range []*int{&p.mark, &p.live} {
		n := int64(*x)
		c.int(&n)
		*x = int(n)
	}
	c.int(&p.until)
	c.int(&p.heard)
	c.bool(&p.silent)
	c.bool(&p.dirty)
}

func (s *state) code(c *coder) {
	for _, x := range []*float64{&s.p[0], &s.p[1], &s.anchor[0], &s.anchor[1]} {
		c.float(x)
	}
	for _, x := range []*int64{&s.t, &s.newest, &s.still, &s.moved, &s.dwell} {
		c.int(x)
	}
	c.uint(&s.rev)
	for _, x := range []*float32{&s.speed, &s.course, &s.sigma, &s.claim, &s.noise} {
		c.float32(x)
	}
	code32(c, &s.vehicle)
	rests := uint32(s.rests)
	code32(c, &rests)
	s.rests = uint16(rests)
	code8(c, &s.accepted)
	code8(c, &s.moves)
	for _, x := range []*bool{&s.seen, &s.settled, &s.standing, &s.restored, &s.watched} {
		c.bool(x)
	}
	s.ties = resize(s.ties, c.length(len(s.ties)))
	for i := range s.ties {
		s.ties[i].code(c)
	}
	s.codeAside(c)
}

func (s *state) codeAside(c *coder) {
	n := 0
	if s.aside != nil {
		n = s.aside.n
	}
	n = c.length(n)
	if n == 0 {
		return
	}
	if c.reading {
		s.aside = &aside{n: min(n, asideMost)}
	}
	c.bool(&s.aside.soft)
	for i := range s.aside.fixes[:s.aside.n] {
		s.aside.fixes[i].code(c)
	}
}

func (x *tie) code(c *coder) {
	codeText(c, &x.id)
	c.uint(&x.rev)
	c.int(&x.since)
	c.int(&x.at)
	c.float(&x.point[0])
	c.float(&x.point[1])
	c.float32(&x.depth)
	code32(c, &x.ref)
	c.bool(&x.inside)
	c.bool(&x.pending)
	c.bool(&x.dwelt)
	code8(c, &x.side)
	code8(c, &x.told)
	c.int(&x.over)
}

func (f *Fix) code(c *coder) {
	code32(c, &f.Vehicle)
	c.int(&f.Time)
	c.int(&f.Received)
	c.float(&f.Point[0])
	c.float(&f.Point[1])
	for _, x := range []*float32{&f.Accuracy, &f.Speed, &f.Heading, &f.HDOP} {
		c.float32(x)
	}
}

// coder appends fields to buf, or takes them off its front.
type coder struct {
	buf     []byte
	reading bool
	err     error
}

// take returns the next n bytes; zeroes once the buffer is too short.
func (c *coder) take(n int) []byte {
	if n < 0 || n > len(c.buf) {
		c.err, c.buf = io.ErrUnexpectedEOF, nil
		return make([]byte, min(max(n, 0), 8))
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

func (c *coder) uint(p *uint64) {
	if c.reading {
		*p = binary.LittleEndian.Uint64(c.take(8))
		return
	}
	c.buf = binary.LittleEndian.AppendUint64(c.buf, *p)
}

func (c *coder) int(p *int64) {
	u := uint64(*p)
	c.uint(&u)
	*p = int64(u)
}

func (c *coder) float(p *float64) {
	u := math.Float64bits(*p)
	c.uint(&u)
	*p = math.Float64frombits(u)
}

func (c *coder) float32(p *float32) {
	u := math.Float32bits(*p)
	code32(c, &u)
	*p = math.Float32frombits(u)
}

func (c *coder) bool(p *bool) {
	var u uint8
	if *p {
		u = 1
	}
	code8(c, &u)
	*p = u != 0
}

// length codes the length of a list or text; a damaged one reads as 0.
func (c *coder) length(n int) int {
	u := uint64(n)
	c.uint(&u)
	if c.reading && u > uint64(len(c.buf)) {
		c.err = io.ErrUnexpectedEOF
		return 0
	}
	return int(u)
}

func (c *coder) text(p *string) {
	n := c.length(len(*p))
	if c.reading {
		*p = string(c.take(n))
		return
	}
	c.buf = append(c.buf, *p...)
}

func codeText[T ~string](c *coder, p *T) {
	s := string(*p)
	c.text(&s)
	*p = T(s)
}

func code32[T ~uint32 | ~int32](c *coder, p *T) {
	if c.reading {
		*p = T(binary.LittleEndian.Uint32(c.take(4)))
		return
	}
	c.buf = binary.LittleEndian.AppendUint32(c.buf, uint32(*p))
}

func code8[T ~uint8](c *coder, p *T) {
	if c.reading {
		*p = T(c.take(1)[0])
		return
	}
	c.buf = append(c.buf, byte(*p))
}

// resize returns s with n elements.
func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:len(s):len(s)], make([]T, n-len(s))...)
}
