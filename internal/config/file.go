package config

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// fromFile reads the YAML file. Names are nested (mqtt: {listen: …}) or dotted (mqtt.listen: …).
func (vs valueSet) fromFile(src Source) error {
	if src.File == "" {
		return nil
	}
	text, err := src.Read(src.File)
	if err != nil {
		return fmt.Errorf("config: file %s: %w", src.File, err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("config: file %s: %w", src.File, err)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return vs.fromNode(src.File, "", doc.Content[0])
}

func (vs valueSet) fromNode(file, prefix string, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		if prefix == "" {
			prefix = "settings"
		}
		return &Problem{prefix, at(file, n), "expected settings below it, as name: value"}
	}
	var problems []error
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if prefix != "" {
			name = prefix + "." + name
		}
		problems = append(problems, vs.fromPair(file, name, n.Content[i+1]))
	}
	return errors.Join(problems...)
}

func (vs valueSet) fromPair(file, name string, n *yaml.Node) error {
	if _, ok := find(name); !ok {
		if n.Kind == yaml.MappingNode {
			return vs.fromNode(file, name, n)
		}
		return &Problem{name, at(file, n), unknown(name)}
	}
	switch n.Kind {
	case yaml.ScalarNode:
		text := n.Value
		if n.Tag == "!!null" {
			text = ""
		}
		vs[name] = value{text, at(file, n)}
	case yaml.SequenceNode:
		text, err := list(n)
		if err != nil {
			return &Problem{name, at(file, n), err.Error()}
		}
		vs[name] = value{text, at(file, n)}
	default:
		return &Problem{name, at(file, n), "expected one value"}
	}
	return nil
}

func list(n *yaml.Node) (string, error) {
	text := ""
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return "", errors.New("expected a list of plain values")
		}
		if i > 0 {
			text += ","
		}
		text += item.Value
	}
	return text, nil
}

func at(file string, n *yaml.Node) string { return fmt.Sprintf("file %s:%d", file, n.Line) }
