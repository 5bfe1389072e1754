package config

import (
	"fmt"
	"io"
	"strings"
)

// WriteDocs prints the table of settings as docs/config.md.
func WriteDocs(w io.Writer) error {
	var b strings.Builder
	b.WriteString(docsHead)
	b.WriteString("| setting | default | environment | meaning |\n|---|---|---|---|\n")
	for _, s := range Settings() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s`%s | %s |\n", s.Name, code(s.Default), s.Env(), fileForm(s), s.Doc+reloaded(s))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const docsHead = `# Settings

<!-- Generated from the table in internal/config by "make generate"; do not edit. -->

` + About + "\n\n"

// About says where a setting's value comes from, in Markdown.
const About = `A value comes from the default, from the YAML file named by ` + "`--config`" + `, from the environment, or from a flag
(` + "`--mqtt.listen=127.0.0.1:1884`" + `). The later of these wins. In YAML the dots may be nesting:

` + "```yaml" + `
mqtt:
  listen: 127.0.0.1:1884
journal.retention: 48h
` + "```" + `

A secret may also be read from a file: ` + "`OUTRIDER_FACEBOOK_APP_SECRET_FILE=/run/secrets/app_secret`" + `. A name that is no setting,
and a value that is not accepted, stop the start with a sentence that says which, where, and what was expected. Of environment variables,
those that are a setting's name but for a few letters count as misspelt; others that begin with ` + "`OUTRIDER_`" + ` are let pass.

SIGHUP (` + "`systemctl reload outrider`" + `) reads the file again, and the files that settings name. Settings that say so below are taken over at once; of
others that changed the log says that they wait for the next start. When something is not accepted, all stays as it was, and the log says
what. Certificates and their keys are read again by themselves when their files change.`

func code(v string) string {
	if v == "" {
		return "–"
	}
	return "`" + v + "`"
}

func reloaded(s Setting) string {
	if !s.Reload {
		return ""
	}
	return " Taken over while running."
}

func fileForm(s Setting) string {
	if !s.Secret {
		return ""
	}
	return ", `…_FILE`"
}
