package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"outrider/internal/config"
)

// man prints a page of the manual, or writes all of them.
func (env environment) man(_ context.Context, args []string) error {
	fs := env.flags("man")
	dir := fs.String("dir", "", "`directory` to write all pages into, below man1 and man5")
	name := "gateway"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	if err := env.parse(fs, args); err != nil {
		return err
	}
	if *dir != "" {
		return writeManual(*dir)
	}
	for _, p := range manualPages() {
		if p.name == name || p.name == "gateway-"+name {
			_, err := fmt.Fprint(env.stdout, p.text)
			return err
		}
	}
	return fmt.Errorf("there is no page %q; expected gateway, gateway.yaml or a command: %w", name, errUsage)
}

func writeManual(dir string) error {
	for _, p := range manualPages() {
		path := filepath.Join(dir, "man"+p.section, p.name+"."+p.section)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(p.text), 0o644))
		if err != nil {
			return err
		}
	}
	return nil
}

// manualPage is the source of one page.
type manualPage struct{ name, section, text string }

func manualPages() []manualPage {
	all := references()
	pages := []manualPage{{"gateway", "1", mainPage(all)}, {"gateway.yaml", "5", settingsPage()}}
	for _, r := range all {
		pages = append(pages, manualPage{"gateway-" + r.name, "1", r.page()})
	}
	return pages
}

func mainPage(all []reference) string {
	p := newRoff("gateway", "1", purpose)
	p.section("SYNOPSIS")
	p.line(`\fBgateway\fR \fIcommand\fR [\fIargument\fR ...] [\fB\-\-\fR\fIflag\fR=\fIvalue\fR ...]`)
	p.section("DESCRIPTION")
	text, _ := manual("gateway")
	p.paragraphs(text)
	p.section("COMMANDS")
	for _, r := range all {
		p.term(bold("gateway-"+r.name)+"(1)", r.short)
	}
	p.section("ENVIRONMENT")
	p.term(bold("OUTRIDER_")+italic("SETTING"), "The value of a setting: OUTRIDER_HTTP_LISTEN is http.listen.")
	p.term(bold("OUTRIDER_")+italic("SETTING")+bold("_FILE"), "A file that holds the value of a setting that is a secret.")
	p.term(bold("NO_COLOR"), "Not empty: no colours on a terminal.")
	p.exitStatus()
	p.section("SEE ALSO")
	p.line(bold("gateway.yaml") + "(5)")
	return p.String()
}

func settingsPage() string {
	p := newRoff("gateway.yaml", "5", "settings of the Outrider gateway")
	p.section("DESCRIPTION")
	p.paragraphs(config.About)
	p.section("SETTINGS")
	for _, s := range config.Settings() {
		where := s.Env()
		if s.Secret {
			where += " or " + s.Env() + "_FILE"
		}
		doc := s.Doc
		if s.Default != "" {
			doc += " Default: `" + s.Default + "`."
		}
		p.term(bold(s.Name), doc+" Environment: "+where+".")
	}
	p.section("SEE ALSO")
	p.line(bold("gateway") + "(1)")
	return p.String()
}

// page is the manual page of a command.
func (r reference) page() string {
	p := newRoff("gateway-"+r.name, "1", r.short)
	p.section("SYNOPSIS")
	for i, way := range strings.Split(r.args, "|") {
		if i > 0 {
			p.line(".br")
		}
		p.line(strings.TrimSpace(bold("gateway "+r.name)+" "+roffText(way)) + " [" + bold("--") + italic("flag") + "=" + italic("value") + " ...]")
	}
	p.section("DESCRIPTION")
	p.paragraphs(r.text)
	p.section("OPTIONS")
	for _, o := range r.options {
		p.term(strings.TrimSuffix(bold("--"+o.name)+o.sign()+italic(o.value), italic("")), o.usage)
	}
	p.term(bold("--help"), "Say what the command does and list its flags.")
	if r.settings {
		p.line(".PP")
		p.line("Every setting of " + bold("gateway.yaml") + "(5) is a flag, too: " + bold("--http.listen") + "=" + italic("value") + ".")
	}
	if r.examples != "" {
		p.section("EXAMPLES")
		p.verbatim(r.examples)
	}
	p.exitStatus()
	p.section("SEE ALSO")
	p.line(bold("gateway") + "(1), " + bold("gateway.yaml") + "(5)")
	return p.String()
}
