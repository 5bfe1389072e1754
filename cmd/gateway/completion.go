package main

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"text/template"

	"outrider/internal/config"
)

// completionScripts are templates of the shells' scripts.
//
//go:embed completion/*.tmpl
var completionScripts embed.FS

// completion prints a script for a shell.
func (env environment) completion(_ context.Context, args []string) error {
	fs := env.flags("completion")
	shell := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		shell, args = args[0], args[1:]
	}
	if err := env.parse(fs, args); err != nil {
		return err
	}
	script, err := completionScripts.ReadFile("completion/" + shell + ".tmpl")
	if err != nil {
		return fmt.Errorf("%q is no shell that is known; expected bash, zsh or fish: %w", shell, errUsage)
	}
	t, err := template.New(shell).Funcs(completionFuncs).Parse(string(script))
	if err != nil {
		return err
	}
	return t.Execute(env.stdout, completions())
}

// completionData is what the templates tell of.
type completionData struct {
	Commands []completionCommand
	Settings []completionOption // flags of every command that HasSettings
}

type completionCommand struct {
	Name, Short string
	Verbs       []string
	Options     []completionOption
	HasSettings bool
}

type completionOption struct {
	Name, Usage string
	Values      []string
	File, Bare  bool // names a file; is given without a value
}

func completions() completionData {
	var d completionData
	for _, r := range references() {
		c := completionCommand{Name: r.name, Short: r.short, Verbs: r.verbs, HasSettings: r.settings}
		for _, o := range r.options {
			c.Options = append(c.Options, o.completion())
		}
		d.Commands = append(d.Commands, c)
	}
	for _, s := range config.Settings() {
		d.Settings = append(d.Settings, optionOfSetting(s).completion())
	}
	return d
}

func (o option) completion() completionOption {
	return completionOption{o.name, firstSentence(o.usage), o.values, o.file, o.value == ""}
}

// firstSentence is as much as fits beside a suggestion.
func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(first, ".")
}

var completionFuncs = template.FuncMap{
	"join":  func(words []string) string { return strings.Join(words, " ") },
	"quote": func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" },
	"fish":  func(text string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'" },
	"spec": func(text string) string {
		return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(text)
	},
	"plain": func(text string) string { return strings.ReplaceAll(text, ":", `\:`) },
}
