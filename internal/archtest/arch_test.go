package archtest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "outrider"

// domain are the packages that the parts which combine them may import.
var domain = []string{
	"geofence", "telemetry", "telemetry/codec", "journal", "identity", "notify", "store", "internal/fencejson", "internal/fenceio", "internal/people",
}

// allowed says which of our packages each package may import. "everything" is for the roots of the program.
// identity.Token is the one type of a secret, which is why configuration and the Graph client know identity.
var allowed = map[string][]string{
	"geofence":            {},
	"geofence/fencetest":  {"geofence"},
	"telemetry":           {},
	"telemetry/codec":     {"telemetry"},
	"telemetry/mqtt":      {"telemetry"},
	"journal":             {"telemetry"},
	"journal/jetstream":   {"journal", "telemetry"},
	"journal/local":       {"journal", "telemetry"},
	"journal/journaltest": {"journal", "telemetry"},
	"identity":            {},
	"identity/facebook":   {"identity", "internal/graph"},
	"notify":              {"identity"},
	"notify/notifytest":   {"notify", "identity"},
	"notify/card":         {},
	"notify/channel":      {"notify", "identity"},
	"notify/messenger":    {"notify", "identity", "internal/graph"},
	"chat":                {"identity", "telemetry"},
	"chat/lex":            {"chat", "identity"},
	"chat/lex/lexruntime": {"chat", "chat/lex", "identity"},
	"store":               {"internal/people", "geofence", "identity", "journal", "notify", "telemetry"},
	"store/sqlstore":      {"internal/people", "store", "geofence", "identity", "journal", "notify", "telemetry"},
	"store/sqlite":        {"store/sqlstore"},
	"store/postgres":      {"store", "store/sqlstore", "identity"},
	"store/storetest":     {"internal/people", "store", "geofence", "identity", "journal", "notify", "telemetry"},
	"console":             append([]string{"console/ui", "internal/oidc"}, domain...),
	"console/ui":          {},
	"simulator":           {"telemetry", "telemetry/codec"},
	"simulator/graph":     {},
	"simulator/lex":       {},
	"simulator/quality":   {"simulator", "telemetry", "telemetry/codec"},

	"internal/cluster":       {"store"},
	"internal/pipeline":      domain,
	"internal/replay":        append([]string{"internal/pipeline"}, domain...), // one mapping of a fix to the engine
	"internal/quality":       append([]string{"simulator/quality"}, domain...),
	"internal/app":           {"everything"},
	"internal/backup":        {},
	"internal/config":        {"identity"},
	"internal/graph":         {"identity"},
	"internal/oidc":          {"identity"},
	"internal/people":        {"identity"},
	"internal/tracing":       {"notify"},
	"internal/fencejson":     {"geofence"},
	"internal/fenceio":       {"geofence", "internal/fencejson"},
	"internal/mosquittotest": {},
	"internal/natstest":      {"internal/mosquittotest"}, // a free port
	"internal/postgrestest":  {},
	"internal/browsertest":   {},
	"internal/archtest":      {},

	"cmd/gateway":   {"identity", "internal/app", "internal/config", "internal/fenceio", "internal/replay"},
	"cmd/simulator": {"simulator", "simulator/graph"},

	"cmd/lex-fulfillment": {"chat/lex", "identity"},
}

// fenced says in which packages, tests included, a foreign module or package may appear.
var fenced = map[string][]string{
	"github.com/eclipse/paho.mqtt.golang": {"telemetry/mqtt", "simulator", "internal/app"},
	"github.com/eclipse/paho.golang":      {"telemetry/mqtt"}, // its packets, in a test
	"github.com/gorilla/websocket":        {"telemetry/mqtt"},
	"github.com/jackc/pgx":                {"store/postgres"},
	"github.com/nats-io":                  {"journal/jetstream", "internal/natstest"},
	"modernc.org/sqlite":                  {"store/sqlite"},
	"github.com/danielgtaylor/huma":       {"console"},
	"github.com/nicholas-fedor/shoutrrr":  {"notify/channel"},
	"github.com/aws":                      {"cmd/lex-fulfillment", "chat/lex/lexruntime", "internal/app"},
	"github.com/chromedp":                 {"internal/browsertest", "internal/app"},
	"go.opentelemetry.io":                 {"internal/tracing", "internal/app"},
	"github.com/paulmach/orb/geojson":     {},
}

// pure packages know no clock, network, file or process: everything they say is a function of what they get.
var pure = map[string][]string{
	"geofence": {"os", "net", "net/http", "log", "log/slog", "database/sql"},
}

func TestEveryImportIsInTheTable(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test {
			continue // tests may combine what they judge
		}
		may, known := allowed[f.pkg]
		if !known {
			t.Errorf("package %s is not in the table", f.pkg)
			continue
		}
		for _, imported := range f.imports {
			own, ok := strings.CutPrefix(imported, module+"/")
			if ok && !slices.Contains(may, own) && !slices.Contains(may, "everything") {
				t.Errorf("%s: %s may not import %s", f.path, f.pkg, own)
			}
		}
	}
}

func TestForeignModulesStayInTheirPackages(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for _, imported := range f.imports {
			for foreign, where := range fenced {
				if (imported == foreign || strings.HasPrefix(imported, foreign+"/")) && !slices.Contains(where, f.pkg) {
					t.Errorf("%s: %s may not import %s, only %v may", f.path, f.pkg, imported, where)
				}
			}
		}
	}
}

func TestPurePackagesStayPure(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports {
			if slices.Contains(pure[f.pkg], imported) {
				t.Errorf("%s: %s is pure and may not import %s", f.path, f.pkg, imported)
			}
		}
		if _, ok := pure[f.pkg]; ok && strings.Contains(f.text, "time.Now") {
			t.Errorf("%s: %s is pure and may not ask the clock", f.path, f.pkg)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, f := range sources(t) {
		if f.test || strings.HasPrefix(f.pkg, "cmd/") && !f.documented {
			continue
		}
		documented[f.pkg] = documented[f.pkg] || f.documented && (filepath.Base(f.path) == "doc.go" || strings.HasPrefix(f.pkg, "cmd/"))
	}
	for pkg := range allowed {
		if ok, exists := documented[pkg]; exists && !ok {
			t.Errorf("package %s has no doc.go with a package comment", pkg)
		}
	}
}

func TestTheTableNamesNoPackageThatIsGone(t *testing.T) {
	t.Parallel()
	for pkg := range allowed {
		if _, err := os.Stat(filepath.Join("../..", pkg)); err != nil {
			t.Errorf("package %s is in the table but not in the tree", pkg)
		}
	}
}

type source struct {
	path, pkg, text string
	imports         []string
	test            bool
	documented      bool
}

// sources parses every Go file of the module; nested modules are modules of their own.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, path, d)
		}
		if filepath.Ext(path) == ".go" {
			all = append(all, parse(t, root, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("found no source")
	}
	return all
}

func skip(root, path string, d fs.DirEntry) error {
	if path == root {
		return nil
	}
	name := d.Name()
	if strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "data" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

func parse(t *testing.T, root, path string) source {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		t.Fatal(err)
	}
	s := source{
		path: rel, pkg: filepath.ToSlash(filepath.Dir(rel)), text: string(text),
		test: strings.HasSuffix(path, "_test.go"), documented: file.Doc != nil,
	}
	for _, spec := range file.Imports {
		s.imports = append(s.imports, strings.Trim(spec.Path.Value, `"`))
	}
	return s
}
