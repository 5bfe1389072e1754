package postgres

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// words are what store/sqlstore says in SQLite's words, and how PostgreSQL says it.
var words = strings.NewReplacer(
	`json_extract(alert, '$.max_age')`, `(alert ->> 'max_age')::bigint`,
	`json_extract(alert, '$.event')`, `alert ->> 'event'`,
	`json_extract(alert, '$.owner')`, `alert ->> 'owner'`,
	`json_extract(alert, '$.say')`, `alert ->> 'say'`,
	`json_each(?) AS o`, `jsonb_array_elements(?::jsonb) AS o(value)`,
	`json_remove(alert, '$.say')`, `alert - 'say'`,
)

var (
	indexedBy = regexp.MustCompile(` INDEXED BY \w+`)
	truths    = regexp.MustCompile(`\b(deleted|away|alive) = ([01])\b`)
)

// dialect translates statements, each once. It is safe for many goroutines.
type dialect struct{ known sync.Map }

// translate returns a statement of store/sqlstore in PostgreSQL's words. Statements hold no text with a question mark.
func (d *dialect) translate(query string) string {
	if done, ok := d.known.Load(query); ok {
		return done.(string)
	}
	text := indexedBy.ReplaceAllString(words.Replace(query), "")
	text = truths.ReplaceAllStringFunc(text, func(s string) string {
		return s[:len(s)-1] + map[byte]string{'0': "FALSE", '1': "TRUE"}[s[len(s)-1]]
	})
	text = placeholders(text)
	d.known.Store(query, text)
	return text
}

// placeholders turns ? into $1, $2 …, and ?1 into $1.
func placeholders(query string) string {
	var b strings.Builder
	next := 1
	for i := 0; i < len(query); i++ {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		b.WriteByte('$')
		if i+1 < len(query) && query[i+1] >= '1' && query[i+1] <= '9' {
			continue // the number follows
		}
		b.WriteString(strconv.Itoa(next))
		next++
	}
	return b.String()
}
