package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"outrider/internal/app"
)

var errBadGeofences = errors.New("not every geofence can be used")

// geofences is "gateway geofences check FILE".
func (env environment) geofences(_ context.Context, args []string) error {
	fs := env.flags("geofences")
	if len(args) > 0 && args[0] == "check" {
		args = args[1:]
	} else if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("there is no %q; expected check FILE: %w", args[0], errUsage)
	}
	var path string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		path, args = args[0], args[1:]
	}
	if err := env.parse(fs, args); err != nil {
		return err
	}
	if path == "" {
		return fmt.Errorf("no file is named; expected check FILE, a GeoJSON Feature or FeatureCollection: %w", errUsage)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return env.reportGeofences(file.Name(), file)
}

// reportGeofences writes a line for every feature, and what was repaired below it.
func (env environment) reportGeofences(name string, file io.Reader) error {
	repaired := 0
	good, faults := app.CheckGeofences(file, func(f app.GeofenceFinding) {
		if f.Fault == "" && len(f.Repairs) > 0 {
			repaired++
		}
		env.reportFinding(f)
	})
	fmt.Fprintf(env.stdout, "%s: %d good (%d of them repaired), %d refused\n", name, good, repaired, faults)
	if faults > 0 {
		return errBadGeofences
	}
	return nil
}

func (env environment) reportFinding(f app.GeofenceFinding) {
	place := fmt.Sprintf("features[%d]", f.Index)
	if f.ID != "" {
		place += fmt.Sprintf(" %q", f.ID)
	}
	if f.Fault != "" {
		field := strings.TrimPrefix(strings.TrimPrefix(f.Field, fmt.Sprintf("features[%d]", f.Index)), ".")
		if field != "" {
			place += " " + field
		}
		fmt.Fprintf(env.stdout, "FAIL  %s: %s\n", place, f.Fault)
		return
	}
	fmt.Fprintf(env.stdout, "ok    %s: %s\n", place, f.Kind)
	for _, r := range f.Repairs {
		fmt.Fprintf(env.stdout, "      repaired: %s\n", r)
	}
}
