package packaging_test

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// Every module that the linker put into the program is in the list of licences, in that version, and in the bill of
// materials.
func TestNothingInTheProgramIsLeftUntold(t *testing.T) {
	t.Parallel()
	program := filepath.Join(unpacked(t), "usr/bin/gateway")
	info, err := buildinfo.ReadFile(program)
	must(t, err)
	if len(info.Deps) < 40 {
		t.Fatalf("the program names %d modules only", len(info.Deps))
	}
	licences, told := read(t, "deployments/THIRD_PARTY_LICENCES"), map[string]bool{}
	for line := range strings.Lines(licences) {
		if f := strings.Fields(line); len(f) > 3 && (f[0] == "Go" || f[0] == "npm") {
			told[f[1]+" "+f[2]] = true
		}
	}
	dir := t.TempDir()
	output(t, nil, root+"/internal/tools/sbom.sh", "v1.2.3-rc1", dir, program)
	billed := bill(t, filepath.Join(dir, "gateway.cdx.json"), "v1.2.3-rc1")
	for _, m := range info.Deps {
		if !told[m.Path+" "+m.Version] {
			t.Errorf("the licences do not tell of %s %s: run make licences WRITE=--write", m.Path, m.Version)
		}
		if !billed[m.Path+" "+m.Version] {
			t.Errorf("the bill of materials does not tell of %s %s", m.Path, m.Version)
		}
	}
	if !billed["std "+strings.Fields(info.GoVersion)[0]] {
		t.Errorf("the bill does not tell of Go's library, %s", info.GoVersion)
	}
	console := filepath.Join(dir, "console.cdx.json")
	if _, err := os.Stat(console); err != nil {
		t.Logf("no Node here, so no bill of the console: %v", err)
		return
	}
	for name := range bill(t, console, "") {
		if !told[name] {
			t.Errorf("the licences do not tell of the npm package %s", name)
		}
	}
}

// bill reads a bill of materials: what it is of must have the version, if there is one.
func bill(t *testing.T, path, version string) map[string]bool {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	var b cdx.BOM
	must(t, cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(&b))
	if b.Components == nil || len(*b.Components) < 15 {
		t.Fatalf("%s names hardly anything", path)
	}
	if version != "" && b.Metadata.Component.Version != version {
		t.Errorf("%s is of %s", path, b.Metadata.Component.Version)
	}
	parts := map[string]bool{}
	for _, c := range *b.Components {
		name := c.Name
		if c.Group != "" {
			name = c.Group + "/" + name
		}
		parts[name+" "+c.Version] = true
	}
	return parts
}
