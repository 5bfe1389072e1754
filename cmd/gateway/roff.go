package main

import (
	"fmt"
	"regexp"
	"strings"
)

// roff writes the source of a manual page, for groff and mandoc.
type roff struct{ strings.Builder }

// newRoff begins a page. It bears no date, so that the same program always has the same manual.
func newRoff(name, section, short string) *roff {
	p := &roff{}
	fmt.Fprintf(p, ".TH %s %s \"\" \"Outrider %s\" \"Outrider manual\"\n", strings.ToUpper(roffText(name)), section, roffText(version))
	p.section("NAME")
	p.line(roffText(name) + ` \- ` + roffText(short))
	return p
}

func (p *roff) section(title string) { p.line(".SH " + title) }

// line writes a line that is roff already.
func (p *roff) line(text string) { p.WriteString(text + "\n") }

// paragraphs writes text whose paragraphs, and blocks of ```, are set apart by empty lines.
func (p *roff) paragraphs(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.line(".PP")
		}
		if block, ok := strings.CutPrefix(paragraph, "```"); ok {
			_, block, _ = strings.Cut(strings.TrimSuffix(block, "```"), "\n") // without the name of its language
			p.verbatim(block)
			continue
		}
		p.prose(paragraph)
	}
}

// term writes what something is called, which is roff already, and what it means.
func (p *roff) term(name, meaning string) {
	p.line(".TP\n" + name)
	p.prose(meaning)
}

// verbatim writes lines as they are.
func (p *roff) verbatim(lines string) {
	p.line(".nf")
	for line := range strings.Lines(lines) {
		p.line(guarded(roffText(strings.TrimRight(line, "\n"))))
	}
	p.line(".fi")
}

// prose writes text with `code` in it.
func (p *roff) prose(text string) {
	for line := range strings.Lines(text) {
		p.line(guarded(backquoted.ReplaceAllString(roffText(strings.TrimSpace(line)), `\fB$1\fR`)))
	}
}

func (p *roff) exitStatus() {
	p.section("EXIT STATUS")
	p.term("0", "All went well.")
	p.term("1", "Something went wrong, or is not in order.")
	p.term("2", "The command line could not be understood.")
}

// backquoted is `code`, as roffText leaves it.
var backquoted = regexp.MustCompile(`\\\(ga(.*?)\\\(ga`)

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "'", `\(aq`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`,
	"…", "...", "–", `\(en`, "→", `\(->`, "×", `\(mu`, "“", `\(lq`, "”", `\(rq`, "’", `\(cq`)

// roffText escapes what roff would read as its own.
func roffText(text string) string { return roffEscapes.Replace(text) }

// guarded keeps a line that begins with a dot from being a request.
func guarded(line string) string {
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}

func bold(text string) string   { return `\fB` + roffText(text) + `\fR` }
func italic(text string) string { return `\fI` + roffText(text) + `\fR` }
