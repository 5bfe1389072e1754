// Package config is the table of settings: each has one row with its name, default, meaning and check, and
// the table also prints docs/config.md, the flags and the names of the environment variables.
//
// A value comes from the default, the YAML file, the environment or a flag; the later of these wins. Secrets
// may also come from a file named by OUTRIDER_..._FILE.
package config
