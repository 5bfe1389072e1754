package app_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// unpack puts an archive of testdata into a directory of the test's.
func unpack(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	f, err := os.Open(filepath.Join("testdata", name))
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		must(t, err)
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			must(t, os.MkdirAll(path, 0o700))
			continue
		}
		content, err := io.ReadAll(archive)
		must(t, err)
		must(t, os.WriteFile(path, content, 0o600))
	}
}

// A data directory that the first version wrote, forty seconds of its demo, is taken over whole: the record, the registry
// with its sealed token, the journal, and which vehicle is in which fence.
func TestAFirstVersionsDataIsTakenOver(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 27, 13, 36, 50, 0, time.UTC)
	r := newRigAt(t, map[string]string{"data.dir": unpack(t, "first-version.tar.gz")}, fastClock(end, 1))
	for path, want := range map[string]int{"vehicles": 21, "owners": 21, "pages": 1, "crossings": 8, "deliveries": 8, "deliveries?state=sent": 8} {
		if got := len(r.items(t, path)); got != want {
			t.Errorf("%d %s, want %d", got, path, want)
		}
	}
	again := r.call(t, http.MethodPost, "rules/dry-run?days=1", map[string]any{"events": []string{"enter"}}, http.StatusOK)
	if again["fixes"] != 799.0 || again["alerts"] != 8.0 {
		t.Errorf("the journal's positions give %v", again)
	}
	if lost := r.metric(t, "outrider_lane_journal_lost_total"); lost != 0 {
		t.Errorf("%v lanes are said to have lost their journal", lost)
	}
	// Van 11 was in the stadium when the gateway ended.
	c := r.connect(t, "box")
	for i := range 30 {
		publish(t, c, "fleet/default/van-011/fix", fmt.Sprintf(`{"t":%d,"lat":%.5f,"lon":11.7,"spd":10,"hdg":0,"acc":4}`, end.Unix()+int64(i)-20, 48.2+float64(i)*0.00009))
	}
	eventually(t, "it has left the stadium", func() bool {
		for _, x := range r.items(t, "crossings?vehicle=van-011") {
			if x["fence"] == "stadium" && x["kind"] == "exit" {
				return true
			}
		}
		return false
	})
}
