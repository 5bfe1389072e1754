package codec

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// protobuf reads the fields of one protobuf message, in place. A field whose wire type is not the expected one is like one that
// is not known, as protobuf has it.
type protobuf struct {
	b   []byte
	bad bool // what came last cannot be read

	number protowire.Number
	kind   protowire.Type
	bits   uint64 // of a varint or a fixed number
	bytes  []byte // of a text or a message
}

// next reads the next field; false at the end and at a fault.
func (p *protobuf) next() bool {
	if len(p.b) == 0 {
		return false
	}
	number, kind, n := protowire.ConsumeTag(p.b)
	if n < 0 {
		p.bad = true
		return false
	}
	p.number, p.kind, p.bits, p.bytes = number, kind, 0, nil
	value := p.b[n:]
	length := protowire.ConsumeFieldValue(number, kind, value)
	if length < 0 {
		p.bad = true
		return false
	}
	p.b = value[length:]
	switch kind {
	case protowire.VarintType:
		p.bits, _ = protowire.ConsumeVarint(value)
	case protowire.Fixed32Type:
		p.bits = uint64(binary.LittleEndian.Uint32(value))
	case protowire.Fixed64Type:
		p.bits = binary.LittleEndian.Uint64(value)
	case protowire.BytesType:
		p.bytes, _ = protowire.ConsumeBytes(value)
	}
	return true
}

// is reports whether the field has this number and this wire type.
func (p *protobuf) is(number protowire.Number, kind protowire.Type) bool {
	return p.number == number && p.kind == kind
}

// message reports whether the field is this message, text or bytes.
func (p *protobuf) message(number protowire.Number) bool { return p.is(number, protowire.BytesType) }

// integer reports whether the field is this whole number.
func (p *protobuf) integer(number protowire.Number) bool { return p.is(number, protowire.VarintType) }

// float is the value of a fixed number.
func (p *protobuf) float() float64 {
	if p.kind == protowire.Fixed32Type {
		return float64(math.Float32frombits(uint32(p.bits)))
	}
	return math.Float64frombits(p.bits)
}

// looksLikeProtobuf tells the formats in protobuf that show by what they begin with: the header of a GTFS feed with its version, and
// the name of a signal of AWS IoT FleetWise. "" means neither.
func looksLikeProtobuf(payload []byte) Codec {
	p := protobuf{b: payload}
	if !p.next() {
		return ""
	}
	if p.message(1) {
		header := protobuf{b: p.bytes}
		if header.next() && header.message(1) && (string(header.bytes) == "2.0" || string(header.bytes) == "1.0") {
			return GTFSRealtime
		}
		return ""
	}
	if p.integer(1) && p.next() && p.message(3) {
		signal := protobuf{b: p.bytes}
		if signal.next() && signal.message(1) && len(signal.bytes) > len(vssRoot) && string(signal.bytes[:len(vssRoot)]) == vssRoot {
			return FleetWise
		}
	}
	return ""
}
