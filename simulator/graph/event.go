package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// event is one webhook event. Either messaging or change is set.
type event struct {
	page, thread string
	field        string
	number       int // within its conversation: names it for the faults
	at           time.Time
	messaging    object
	change       object
	faults       Faults // as they were when it happened
	overtaken    bool
}

func (e event) chance(seed uint64, share float64, kind string) bool {
	return chance(seed, share, kind, e.thread, strconv.Itoa(e.number))
}

func (e event) lost(seed uint64) bool {
	return e.field == "message_echoes" && e.chance(seed, e.faults.LostEcho, "lost echo")
}

func (e event) late(seed uint64) bool { return e.chance(seed, e.faults.Reorder, "reorder") }

func (e event) copies(seed uint64) int {
	if e.chance(seed, e.faults.Duplicate, "duplicate") {
		return 2
	}
	return 1
}

// encode returns the body of the webhook, byte for byte as it is signed and sent.
func (e event) encode(seed uint64) []byte {
	at := e.at.UnixMilli()
	messaging := e.messaging
	if e.chance(seed, e.faults.Seconds, "seconds") {
		at /= 1000
		messaging = with(messaging, "timestamp", at)
	}
	entry := object{"id": e.page, "time": at}
	if e.change != nil {
		entry["changes"] = []object{{"field": e.field, "value": e.change}}
	} else {
		entry["messaging"] = []object{messaging}
	}
	body := object{"object": "page", "entry": []object{entry}}
	if e.chance(seed, e.faults.NumericIDs, "numeric ids") {
		numericIDs(body)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("graph: webhook of plain values: %v", err)) // a programmer's mistake
	}
	return escape(raw)
}

// with returns a copy of o with one value replaced, nil if o is nil.
func with(o object, key string, v any) object {
	if o == nil {
		return nil
	}
	c := make(object, len(o))
	for k, old := range o {
		c[k] = old
	}
	c[key] = v
	return c
}

// numericIDs turns every "id" of digits into a number, in place where it is this event's own and by copy
// where it is shared.
func numericIDs(o object) {
	for k, v := range o {
		switch v := v.(type) {
		case string:
			if n, err := strconv.ParseInt(v, 10, 64); k == "id" && err == nil {
				o[k] = n
			}
		case object:
			c := with(v, "", nil)
			delete(c, "")
			numericIDs(c)
			o[k] = c
		case []object:
			list := make([]object, len(v))
			for i := range v {
				list[i] = with(v[i], "", nil)
				delete(list[i], "")
				numericIDs(list[i])
			}
			o[k] = list
		}
	}
}

// escape writes JSON the way Meta does: everything outside ASCII as \uXXXX, slashes as \/.
func escape(raw []byte) []byte {
	var out bytes.Buffer
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		switch {
		case r == '/':
			out.WriteString(`\/`)
		case r < utf8.RuneSelf:
			out.WriteByte(byte(r))
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
		raw = raw[n:]
	}
	return out.Bytes()
}
