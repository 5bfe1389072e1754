// Command licences writes THIRD_PARTY_LICENCES: what the programs are made of besides the source of the repository, under which
// licence each part is, and the texts. It asks the go command which modules the programs are built from, and the console's
// package-lock.json which packages are built into it. A part without a licence that it knows is an error.
//
//	cd internal/packaging && go run ./licences > ../../THIRD_PARTY_LICENCES
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

func main() {
	if err := run(os.Stdout, "../.."); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, root string) error {
	modules, err := modulesOf(root)
	if err != nil {
		return err
	}
	packages, err := packagesOf(filepath.Join(root, "console/ui"))
	if err != nil {
		return err
	}
	parts := slices.Concat(modules, packages, own(root))
	slices.SortFunc(parts, func(a, b part) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) })
	for i := range parts {
		if err := parts[i].read(); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(w)
	print(out, parts)
	return out.Flush()
}

// part is something that a program is made of.
type part struct {
	kind, name, version string
	dir                 string   // where its files are
	files               []string // of its licence; empty: those that are called so in dir
	told                string   // the licence that its author names, where there is no text to tell it by
	licences            []string // SPDX identifiers
	texts               []string
}

// own are parts that are files of the repository or of the toolchain.
func own(root string) []part {
	return []part{
		{kind: "data", name: "Noto Sans (subsets, in the pictures of alerts)", dir: filepath.Join(root, "notify/card/fonts"), told: "OFL-1.1"},
		{kind: "Go", name: "the Go standard library", dir: goroot(), files: []string{"LICENSE", "PATENTS"}},
	}
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|ofl|unlicense)([-_.].*)?$`)

// read finds the licence of a part.
func (p *part) read() error {
	names := p.files
	if names == nil {
		entries, err := os.ReadDir(p.dir)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, e := range entries {
			if !e.IsDir() && licenceFile.MatchString(e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		p.texts = append(p.texts, tidy(string(text)))
		for _, m := range licensecheck.Scan(text).Match {
			if !m.IsURL && !slices.Contains(p.licences, m.ID) {
				p.licences = append(p.licences, m.ID)
			}
		}
	}
	if len(p.licences) == 0 && p.told != "" {
		p.licences = []string{p.told}
	}
	if len(p.licences) == 0 {
		return fmt.Errorf("%s %s: no licence was found in %s", p.name, p.version, p.dir)
	}
	slices.Sort(p.licences)
	return nil
}

// tidy takes out what differs between copies of a text and means nothing.
func tidy(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		b.WriteString(strings.TrimRight(line, " \t\n\f") + "\n")
	}
	return strings.Trim(b.String(), "\n") + "\n"
}

const head = `What Outrider's programs contain besides its own source: names, versions, licences, and their texts below.
Made by "make licences WRITE=--write" from the go command and the console's package-lock.json; "make check" compares.

`

// print writes the list, then each text once, under the names of all parts that came with it.
func print(w io.Writer, parts []part) {
	fmt.Fprint(w, head)
	var texts []string
	users := map[string][]string{}
	for _, p := range parts {
		fmt.Fprintf(w, "%-5s %-62s %-36s %s\n", p.kind, p.name, p.version, strings.Join(p.licences, ", "))
		for _, text := range p.texts {
			if users[text] == nil {
				texts = append(texts, text)
			}
			users[text] = append(users[text], p.name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(w, "\n%s\n%s\n\n%s", strings.Repeat("=", 100), strings.Join(users[text], "\n"), text)
	}
}
