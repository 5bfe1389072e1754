package geofence_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outrider/geofence"
)

// The table "what happens when" names every story of the lifecycle, and no other.
func TestLifecycleTableNamesItsStories(t *testing.T) {
	t.Parallel()
	page := enginePage(t)
	named := regexp.MustCompile("`lifecycle-[a-z-]+`").FindAllString(page, -1)
	for i := range named {
		named[i] = strings.Trim(named[i], "`")
	}
	files, err := filepath.Glob("testdata/lifecycle-*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(filepath.Base(files[i]), ".txt")
	}
	slices.Sort(files)
	slices.Sort(named)
	if diff := cmp.Diff(files, named); diff != "" {
		t.Errorf("stories (-in testdata +in the table):\n%s", diff)
	}
}

// The page explains every kind, reason and preset.
func TestEnginePageIsComplete(t *testing.T) {
	t.Parallel()
	page := enginePage(t)
	var names []string
	for _, k := range geofence.Kinds() {
		names = append(names, k.String())
	}
	for _, w := range geofence.Whys() {
		names = append(names, w.String())
	}
	for _, p := range geofence.Presets() {
		names = append(names, p.String())
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("nothing is said about %s", name)
		}
	}
}

func TestThereAreEnoughStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 120 {
		t.Errorf("%d stories, %v", len(files), err)
	}
	about := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		if other, twice := about[first]; twice {
			t.Errorf("%s and %s are about the same", file, other)
		}
		about[first] = file
	}
}

func enginePage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/engine.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}
