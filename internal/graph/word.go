package graph

import "encoding/json"

// Word is an id or a word of Meta's that may come as a JSON number. Anything else reads as empty, since an odd field is
// no reason to lose what stands around it.
type Word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *Word) UnmarshalJSON(text []byte) error {
	*w = ""
	var word string
	var number json.Number
	switch {
	case json.Unmarshal(text, &word) == nil:
		*w = Word(word)
	case json.Unmarshal(text, &number) == nil:
		*w = Word(number)
	}
	return nil
}
