package fenceio

import (
	"bufio"
	"encoding/csv"
	"io"
	"iter"
	"strconv"
	"strings"
)

// columns are the names that a column may have.
var columns = map[string][]string{
	"id": {"id"}, "name": {"name", "title"}, "lat": {"lat", "latitude"}, "lon": {"lon", "lng", "long", "longitude"},
	"radius": {"radius_m", "radius"}, "tags": {"tags"},
}

// readCSV reads circles, a line each, under a head that names the columns: lat and lon are needed.
func readCSV(r *bufio.Reader, o Options) iter.Seq[raw] {
	return func(yield func(raw) bool) {
		c := csv.NewReader(r)
		head, _ := r.Peek(4096)
		if line, _, _ := strings.Cut(string(head), "\n"); strings.Count(line, ";") > strings.Count(line, ",") {
			c.Comma = ';'
		}
		c.FieldsPerRecord, c.LazyQuotes, c.TrimLeadingSpace = -1, true, true
		names, err := c.Read()
		if err != nil {
			yield(fault(1, "the head cannot be read: %v", err))
			return
		}
		at := places(names)
		if at["lat"] < 0 || at["lon"] < 0 {
			yield(fault(1, "expected a head with the columns lat and lon, and best id, name and radius_m, too"))
			return
		}
		for {
			row, err := c.Read()
			line, _ := c.FieldPos(0)
			switch {
			case err == io.EOF:
				return
			case err != nil:
				if !yield(fault(0, "%v", err)) {
					return
				}
			case !yield(circleRow(line, row, at, o)):
				return
			}
		}
	}
}

// places says in which column each thing is, -1 for none.
func places(names []string) map[string]int {
	at := map[string]int{}
	for thing, may := range columns {
		at[thing] = -1
		for i, name := range names {
			name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
			for _, m := range may {
				if name == m {
					at[thing] = i
				}
			}
		}
	}
	return at
}

func circleRow(line int, row []string, at map[string]int, o Options) raw {
	cell := func(thing string) string {
		if i := at[thing]; i >= 0 && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	numbers := map[string]float64{}
	for _, thing := range []string{"lat", "lon", "radius"} {
		text := cell(thing)
		if text == "" && thing == "radius" {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fault(line, "%s is %q; expected a number", thing, text)
		}
		numbers[thing] = n
	}
	properties := map[string]any{"name": cell("name"), "radius_m": numbers["radius"], "shape": "circle"}
	if tags := strings.FieldsFunc(cell("tags"), separator); len(tags) > 0 {
		properties["tags"] = tags
	}
	return made(line, cell("id"), geometry{"Point", []float64{numbers["lon"], numbers["lat"]}}, properties, o)
}
