package main

import (
	"context"
	"embed"
	"flag"
	"io"
	"slices"
	"strings"

	"outrider/internal/config"
)

// manualTexts say of each command what it does, in paragraphs, and show examples of it.
//
//go:embed manual/*.txt
var manualTexts embed.FS

// reference is what there is to say of a command: the source of its help, its manual page and its completion.
type reference struct {
	command
	verbs    []string // what must follow its name; none: nothing need
	options  []option // its own flags
	settings bool     // every setting is a flag of it, too
	text     string   // paragraphs
	examples string   // lines to type
}

// option is a flag.
type option struct {
	name, usage string
	value       string   // what its value is called; empty: it is given without one
	values      []string // the only ones; none: anything
	file        bool     // names a file
}

// references are those of every command.
func references() []reference {
	var all []reference
	for _, c := range commands() {
		all = append(all, refer(c))
	}
	return all
}

// refer reads off a command which flags it has, by asking it for help.
func refer(c command) reference {
	r := reference{command: c, verbs: c.verbs()}
	r.text, r.examples = manual(c.name)
	env := environment{stdout: io.Discard, stderr: io.Discard, helped: func(fs *flag.FlagSet) {
		r.settings = fs.Lookup("config") != nil
		fs.VisitAll(func(f *flag.Flag) {
			if !isSetting(f.Name) {
				r.options = append(r.options, optionOf(f))
			}
		})
	}}
	_ = c.run(env, context.Background(), []string{"--help"})
	return r
}

// verbs are the words that its arguments begin with: "list" and "check" of "list|check FILE".
func (c command) verbs() []string {
	var verbs []string
	for way := range strings.SplitSeq(c.args, "|") {
		if word, _, _ := strings.Cut(way, " "); word != "" && word == strings.ToLower(word) && !strings.HasPrefix(word, "-") {
			verbs = append(verbs, word)
		}
	}
	return verbs
}

// manual is the text of a command and its examples.
func manual(name string) (text, examples string) {
	b, err := manualTexts.ReadFile("manual/" + name + ".txt")
	if err != nil {
		return "", ""
	}
	text, examples, _ = strings.Cut(string(b), "\nExamples:\n")
	return strings.TrimSpace(text), examples
}

func isSetting(name string) bool {
	return slices.ContainsFunc(config.Settings(), func(s config.Setting) bool { return s.Name == name })
}

// optionOf reads a flag. Its usage names the value in backquotes: `file`, or `one|another` where these are all.
func optionOf(f *flag.Flag) option {
	o := option{name: f.Name}
	o.value, o.usage = flag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" {
		o.usage += " (default " + f.DefValue + ")"
	}
	o.file = o.value == "file" || o.value == "directory"
	if strings.Contains(o.value, "|") {
		o.values = strings.Split(o.value, "|")
	}
	return o
}

// sign is what follows the name of an option on a command line: the sign of equality, or nothing.
func (o option) sign() string {
	if o.value == "" {
		return ""
	}
	return "="
}

// optionOfSetting is the flag of a setting.
func optionOfSetting(s config.Setting) option {
	o := option{name: s.Name, value: "value", usage: strings.ReplaceAll(s.Doc, "`", ""), values: s.Values}
	o.file = strings.Contains(s.Doc, "PEM file") || strings.Contains(s.Doc, "YAML file") || strings.HasPrefix(s.Doc, "Directory")
	if s.Default != "" {
		o.usage += " (default " + s.Default + ")"
	}
	return o
}
