package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/fenceio"
)

var errBadGeofences = errors.New("not every geofence can be used")

// geofenceCommand is "gateway geofences check|import|export".
type geofenceCommand struct {
	verb, path string
	options    app.FileOptions
	tenant     string
	format     string
	settings   func() (config.Config, error)
}

func (env environment) geofences(ctx context.Context, args []string) error {
	g, err := env.geofenceArgs(args)
	if err != nil {
		return err
	}
	if g.verb == "export" {
		return env.exportGeofences(ctx, g)
	}
	if g.path == "" {
		return fmt.Errorf("no file is named; expected %s FILE: GeoJSON, KML, KMZ, GPX, WKT, CSV of circles, or Tile38 commands: %w", g.verb, errUsage)
	}
	file, err := os.Open(g.path)
	if err != nil {
		return err
	}
	defer file.Close()
	in, done := env.watched(file)
	defer done()
	if g.verb == "import" {
		return env.importGeofences(ctx, g, in)
	}
	return env.reportGeofences(g.path, in, g.options)
}

// geofenceArgs reads "check FILE", "import FILE" or "export", and flags.
func (env environment) geofenceArgs(args []string) (*geofenceCommand, error) {
	fs := env.flags("geofences")
	g := &geofenceCommand{verb: "check"}
	order := ""
	fs.StringVar(&g.format, "format", "", "format of the file: `geojson|kml|kmz|gpx|wkt|csv|tile38`; empty: found out, or by the name")
	fs.StringVar(&order, "order", "lonlat", "how WKT writes coordinates: `lonlat|latlon`; Traccar writes latlon")
	fs.Float64Var(&g.options.Radius, "radius_m", 0, "`metres`, of points that have no radius of their own")
	fs.Float64Var(&g.options.Width, "width_m", 0, "`metres`, of lines that have no width of their own")
	fs.StringVar(&g.tenant, "tenant", "default", "`tenant` whose geofences they are")
	if len(args) > 0 && slices.Contains([]string{"check", "import", "export"}, args[0]) {
		g.verb, args = args[0], args[1:]
	} else if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return nil, fmt.Errorf("there is no %q; expected check FILE, import FILE or export: %w", args[0], errUsage)
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		g.path, args = args[0], args[1:]
	}
	g.settings = env.settings(fs)
	if err := env.parse(fs, args); err != nil {
		return nil, err
	}
	if order != "lonlat" && order != "latlon" {
		return nil, fmt.Errorf("order: is %q; expected lonlat or latlon: %w", order, errUsage)
	}
	if g.format != "" && !slices.Contains(fenceio.Formats(), fenceio.Format(g.format)) {
		return nil, fmt.Errorf("format: is %q; expected one of %v: %w", g.format, fenceio.Formats(), errUsage)
	}
	g.options.LatLon, g.options.Format = order == "latlon", fenceio.Format(g.format)
	return g, nil
}

// watched shows on a terminal how far a file has been read.
func (env environment) watched(file *os.File) (io.Reader, func()) {
	errs, ok := env.stderr.(*os.File)
	info, err := file.Stat()
	if !ok || err != nil || !term.IsTerminal(int(errs.Fd())) || info.Size() < 1<<20 {
		return file, func() {}
	}
	bar := progressbar.NewOptions64(info.Size(), progressbar.OptionSetWriter(errs), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("reading"), progressbar.OptionClearOnFinish())
	return io.TeeReader(file, bar), func() { _ = bar.Finish() }
}

// reportGeofences writes a line for every geofence, and what was repaired below it.
func (env environment) reportGeofences(name string, file io.Reader, o app.FileOptions) error {
	repaired := 0
	good, faults := app.CheckGeofences(file, o, func(f app.GeofenceFinding) {
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
	if f.Line > 0 {
		place += fmt.Sprintf(" line %d", f.Line)
	}
	if f.ID != "" {
		place += fmt.Sprintf(" %q", f.ID)
	}
	if f.Fault != "" {
		if f.Field != "" {
			place += " " + f.Field
		}
		fmt.Fprintf(env.stdout, "FAIL  %s: %s\n", place, f.Fault)
		return
	}
	fmt.Fprintf(env.stdout, "ok    %s: %s\n", place, f.Kind)
	for _, r := range f.Repairs {
		fmt.Fprintf(env.stdout, "      repaired: %s\n", r)
	}
}

// importGeofences tells only what was refused or repaired.
func (env environment) importGeofences(ctx context.Context, g *geofenceCommand, in io.Reader) error {
	c, err := g.settings()
	if err != nil {
		return err
	}
	n, err := app.ImportGeofences(ctx, c, g.tenant, in, g.options, func(f app.GeofenceFinding) {
		if f.Fault != "" || len(f.Repairs) > 0 {
			env.reportFinding(f)
		}
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%d geofences imported into tenant %s\n", n, g.tenant)
	return err
}

// exportGeofences writes to the file, or to standard output.
func (env environment) exportGeofences(ctx context.Context, g *geofenceCommand) (err error) {
	c, err := g.settings()
	if err != nil {
		return err
	}
	if g.format == "" {
		g.format = strings.TrimPrefix(filepath.Ext(g.path), ".")
	}
	if g.format == "" || g.format == "json" {
		g.format = string(fenceio.GeoJSON)
	}
	out := env.stdout
	if g.path != "" {
		file, err := os.Create(g.path)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	left, err := app.ExportGeofences(ctx, c, g.tenant, g.format, out)
	if left > 0 {
		fmt.Fprintf(env.stderr, "%d geofences are left out: %s has no word for them\n", left, g.format)
	}
	return err
}
