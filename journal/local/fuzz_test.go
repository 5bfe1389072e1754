package local

import (
	"os"
	"testing"

	"outrider/journal"
)

// seed is a segment of two partitions with three groups.
func seed() []byte {
	nexts := []journal.Position{1, 1}
	content := appendMark(nil, 1, nexts)
	at := journal.Position(1)
	for n := range 3 {
		var group []byte
		for p := range nexts {
			group = appendBatch(group, at, p, fixNumber(n))
			at++
		}
		content = append(content, group...)
	}
	return content
}

// FuzzLoad starts on a segment that holds any bytes: they are refused, or what is left of them can be read, each
// partition up to where it is said to end.
func FuzzLoad(f *testing.F) {
	f.Add(seed())
	f.Add(seed()[:len(seed())-20])
	f.Add(seed()[:10])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(segmentPath(dir, 1), content, 0o600); err != nil {
			t.Fatal(err)
		}
		j := newJournal(Options{Dir: dir, Partitions: 2}.withDefaults(), nil)
		if err := j.load(); err != nil {
			return
		}
		defer j.file.Close()
		for p, next := range j.nexts {
			end := journal.Position(1)
			entries, _, err := j.readFiles(p, 1, make([]journal.Entry, 0, 1<<12))
			if err == nil && len(entries) > 0 {
				end = entries[len(entries)-1].Position + 1
			}
			if err == nil && len(entries) < cap(entries) && end != next {
				t.Fatalf("partition %d can be read up to %d, not %d", p, end, next)
			}
		}
	})
}
