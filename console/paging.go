package console

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
)

// Paging is what a caller says of the page it wants. It is exported for binding only.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"256" doc:"Where to go on: the next member of the page before. Absent: from the beginning."`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"How many at most."`
}

// The prefix of a cursor says what it counts, so that one list's cursor is not taken for another's.
const (
	cursorID  = "i:"
	cursorSeq = "s:"
)

// afterID returns the id after which the page begins; empty: the first page.
func (p Paging) afterID() (string, error) { return p.decode(cursorID) }

// beforeSeq returns the place in the record before which the page begins; 0: the newest.
func (p Paging) beforeSeq() (uint64, error) {
	text, err := p.decode(cursorSeq)
	if err != nil || text == "" {
		return 0, err
	}
	seq, err := strconv.ParseUint(text, 10, 63)
	if err != nil || seq == 0 {
		return 0, p.fault()
	}
	return seq, nil
}

func (p Paging) decode(prefix string) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return "", p.fault()
	}
	value, ok := strings.CutPrefix(string(text), prefix)
	if !ok || value == "" || idFault(value) != "" {
		return "", p.fault()
	}
	return value, nil
}

func (p Paging) fault() error {
	var f faults
	f.add("query.cursor", p.Cursor, "expected the next member of an earlier page of this list, unchanged")
	return f.problem()
}

func nextID[T ~string](id T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorID + string(id)))
}

func nextSeq(seq uint64) string {
	return base64.RawURLEncoding.EncodeToString(strconv.AppendUint([]byte(cursorSeq), seq, 10))
}

// listOf is a page of a list.
type listOf[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page. Absent on the last page."`
}

// listAnswer is the answer with a page of a list.
type listAnswer[T any] struct {
	Link string `header:"Link" doc:"The address of the next page."`
	Body listOf[T]
}

func newListAnswer[T any](ctx context.Context, items []T, next string) *listAnswer[T] {
	if items == nil {
		items = []T{}
	}
	return &listAnswer[T]{nextLink(ctx, next), listOf[T]{items, next}}
}

// nextLink returns the Link header that leads to the next page of the request of ctx; empty when there is none.
func nextLink(ctx context.Context, cursor string) string {
	if cursor == "" {
		return ""
	}
	self := requestOf(ctx).url
	q := self.Query()
	q.Set("cursor", cursor)
	return "<" + self.EscapedPath() + "?" + q.Encode() + `>; rel="next"`
}

// cut splits what was read, one more than asked for, into the page and whether there is more.
func cut[T any](read []T, limit int) (page []T, more bool) {
	if len(read) > limit {
		return read[:limit], true
	}
	return read, false
}
