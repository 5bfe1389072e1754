package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// platforms are those that programs are released for: each may need modules of its own.
var platforms = []string{"linux/amd64", "linux/arm64"}

// modulesOf are the modules from which the programs are built, tests left out.
func modulesOf(root string) ([]part, error) {
	var parts []part
	seen := map[string]bool{}
	for _, platform := range platforms {
		system, machine, _ := strings.Cut(platform, "/")
		cmd := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/...")
		cmd.Dir, cmd.Stderr = root, os.Stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+machine)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module == nil || p.Module.Main || seen[p.Module.Path] {
				continue
			}
			seen[p.Module.Path] = true
			parts = append(parts, part{kind: "Go", name: p.Module.Path, version: p.Module.Version, dir: p.Module.Dir})
		}
	}
	return parts, nil
}

// packagesOf are the npm packages that may be built into the console. They are installed below dir.
func packagesOf(dir string) ([]part, error) {
	text, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version, License    string
			Dev, Optional, Peer bool
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, err
	}
	var parts []part
	for path, p := range lock.Packages {
		_, name, ok := strings.Cut(path, "node_modules/")
		if !ok || p.Dev || p.Optional || p.Peer {
			continue
		}
		parts = append(parts, part{kind: "npm", name: name, version: p.Version, dir: filepath.Join(dir, path), told: p.License})
	}
	return parts, nil
}

func goroot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return runtime.Version()
	}
	return strings.TrimSpace(string(out))
}
