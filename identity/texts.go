package identity

import "maps"

// Texts are what a tenant says instead of the gateway, by language (as Meta writes it: "de", "pt_BR") and name of
// the text.
type Texts map[string]map[string]string

// clone is a copy of its own.
func (t Texts) clone() Texts {
	c := maps.Clone(t)
	for language, texts := range c {
		c[language] = maps.Clone(texts)
	}
	return c
}
