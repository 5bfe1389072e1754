package config

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"outrider/identity"
)

// Config holds every setting, checked.
type Config struct {
	Data     Data
	HTTP     HTTP
	Chat     Chat
	Lex      Lex
	OIDC     OIDC
	Console  Console
	MQTT     MQTT
	Store    Store
	NATS     NATS
	Journal  Journal
	Engine   Engine
	Cluster  Cluster
	Alerts   Alerts
	Channels Channels
	Graph    Graph
	Facebook Facebook
	Admin    Admin
	Metrics  Metrics
	OTel     OTel
	Log      Log
	Roles    []string

	shown []Shown
	marks map[string]uint64 // of the values as they were written, to tell whether one changed
}

// Changed lists the settings whose values differ, secrets too.
func (c Config) Changed(from Config) []string {
	var names []string
	for _, s := range c.shown {
		if c.marks[s.Name] != from.marks[s.Name] {
			names = append(names, s.Name)
		}
	}
	return names
}

// markSeed makes marks say nothing to anybody else.
var markSeed = maphash.MakeSeed()

// Shown is a setting as it may be shown to anybody.
type Shown struct{ Name, Value, Source string } // of a secret that is set the value is "REDACTED"

// Shown lists every setting with where its value comes from, without secrets: for people who ask for help.
func (c Config) Shown() []Shown { return c.shown }

// show hides what a value may hold of secrets: all of one that is secret, and what else a URL's query may carry, such as
// a tile server's key.
func show(s Setting, v value) Shown {
	text := v.text
	switch {
	case s.Secret && text != "":
		text = "REDACTED"
	case strings.Contains(text, "://"):
		text, _, _ = strings.Cut(text, "?")
	}
	return Shown{s.Name, text, v.source}
}

// Data says where files are kept.
type Data struct {
	Dir string
	Key identity.Token // 32 bytes in hex; empty: a key file in Dir
}

// HTTP is the API's listener.
type HTTP struct {
	Listen    string
	PublicURL string // under which others reach it; empty: unknown
	Cert, Key string // files of the certificate; empty: no TLS
}

// Scheme is how the API is spoken to: "http" or "https".
func (h HTTP) Scheme() string {
	if h.Cert != "" {
		return "https"
	}
	return "http"
}

// Chat is who answers people.
type Chat struct {
	Mode string // "builtin" or "off"
}

// Lex is how Amazon Lex asks the dialog, and how it is asked.
type Lex struct {
	Key  identity.Token // empty: it does not
	Page string         // empty: the only page

	// The bot that is asked what people mean. Region empty: none is.
	Region, Bot, Alias string
	Locale             string         // empty: of each person's language
	KeyID              string         // of an AWS access key; empty: what the SDK finds
	Secret             identity.Token // of the key
	Timeout            time.Duration
	URL                string // empty: AWS's
}

// OIDC is the provider at which people sign in to the console.
type OIDC struct {
	Issuer   string // empty: there is none
	ClientID string
	Secret   identity.Token // empty: a public client
	Name     string
	Claim    string
	Role     string // of whom no admin let in; empty: they are not let in
	Tenant   string // of those
}

// Console is what lies under the map of the web console.
type Console struct {
	Tiles       string // template of a tile server; empty: none
	PMTiles     string // file; empty: none
	Attribution string
}

// MQTT is where fixes come from.
type MQTT struct {
	Listen      string // device endpoint; empty: off
	Endpoint    Endpoint
	URL         string // external broker; empty: none
	Username    string
	Password    identity.Token
	ClientID    string
	Topics      []string
	Share       string
	Connections int    // to the broker
	CA          string // file of who vouches for the broker; empty: the system's
	Cert        string // file of the certificate for the broker; empty: none
	Key         string
	Rules       string // topic rules, as codec.ParseRules reads them
	Mappings    string // file; empty: only those that come with the gateway
}

// Endpoint is how else devices reach the device endpoint, and how many of them.
type Endpoint struct {
	TLSListen, WSListen string // empty: off
	Cert, Key           string // files of the certificate; empty: none
	ClientCA            string // file of who vouches for devices; empty: nobody
	MaxConnections      int
	MaxPacket           int
	ConnectRate         int // per address and second
}

// Open reports whether devices can connect at all.
func (m *MQTT) Open() bool {
	return m.Listen != "" || m.Endpoint.TLSListen != "" || m.Endpoint.WSListen != ""
}

// Store names the database.
type Store struct {
	URL       identity.Token // a URL with a password inside
	Retention time.Duration  // 0: for ever
}

// NATS names the JetStream servers.
type NATS struct {
	URL         identity.Token // several, separated by commas, with a password inside; empty: none
	Credentials string         // file; empty: none
	CA          string         // file of who vouches for the servers; empty: the system's
	Cert, Key   string         // files of the certificate for the servers; empty: none
	Prefix      string
	Replicas    int // 0: as fits the servers
}

// Journal is how long fixes are kept.
type Journal struct {
	Partitions int
	Retention  time.Duration
	MaxBytes   int64
}

// Engine is how crossings are decided.
type Engine struct {
	Preset   string
	Snapshot time.Duration
}

// Cluster is how several processes share the work.
type Cluster struct {
	Lease time.Duration // after how long without a heartbeat a process is given up for dead
}

// Alerts is how messages are treated that no rule says more about.
type Alerts struct {
	MaxAge time.Duration
	Settle time.Duration
	// CardLife is how long the address of a picture is good.
	CardLife time.Duration
}

// Channels is how owners' other channels are reached.
type Channels struct {
	AllowPrivate []netip.Prefix // besides public addresses
	Timeout      time.Duration
}

// Graph is Meta's API.
type Graph struct{ URL, Version string }

// Facebook is the app at Meta.
type Facebook struct {
	AppID       string
	AppSecret   identity.Token
	VerifyToken identity.Token

	DialogURL    string // base of the login dialog
	LinkURL      string // base of links into conversations
	LoginConnect bool   // people who log in are asked whether the page may write to them
	ConfigID     string // of Facebook Login for Business; empty: scopes are asked for
}

// Admin is the bootstrap access to the API.
type Admin struct{ Key identity.Token }

// Metrics is who may read the figures.
type Metrics struct{ Key identity.Token } // empty: everybody who reaches them

// OTel is where traces go.
type OTel struct {
	Endpoint string  // empty: nowhere
	Share    float64 // of the alerts, from 0 to 1
}

// Log is what is logged and how.
type Log struct{ Level, Format string }

// Problem is a setting with a value that is not accepted.
type Problem struct {
	Setting string // name
	Source  string // "file gateway.yaml:3", "environment OUTRIDER_LOG_LEVEL", "flag --log.level", "default"
	Text    string // what was expected
}

// Error implements error.
func (p *Problem) Error() string {
	return fmt.Sprintf("config: %s (%s): %s", p.Setting, p.Source, p.Text)
}

// Source gives values from outside. The zero value reads nothing, so that every setting has its default.
type Source struct {
	File    string                            // path of a YAML file; empty: none
	Read    func(path string) ([]byte, error) // reads File and ..._FILE secrets
	Environ []string                          // as os.Environ
	Flags   map[string]string                 // setting name to value, only those that were given
}

// Load reads every setting. The error joins a *Problem for each value that is not accepted.
func Load(src Source) (Config, error) {
	values := defaults()
	read := errors.Join(values.fromFile(src), values.fromEnviron(src), values.fromFlags(src))
	c, accepted := values.config()
	if err := errors.Join(read, accepted); err != nil {
		return Config{}, err
	}
	return c, nil
}

type value struct{ text, source string }

type valueSet map[string]value

func defaults() valueSet {
	values := valueSet{}
	for _, s := range Settings() {
		values[s.Name] = value{s.Default, "default"}
	}
	return values
}

func (vs valueSet) config() (Config, error) {
	var (
		c        = Config{marks: map[string]uint64{}}
		problems []error
	)
	for _, s := range Settings() {
		v := vs[s.Name]
		if err := s.accept(&c, v.text); err != nil {
			problems = append(problems, &Problem{s.Name, v.source, err.Error()})
		}
		c.shown = append(c.shown, show(s, v))
		c.marks[s.Name] = maphash.String(markSeed, v.text)
	}
	return c, errors.Join(problems...)
}

func (vs valueSet) fromFlags(src Source) error {
	var problems []error
	for name, text := range src.Flags {
		if _, ok := find(name); !ok {
			problems = append(problems, &Problem{name, "flag --" + name, unknown(name)})
			continue
		}
		vs[name] = value{text, "flag --" + name}
	}
	return errors.Join(problems...)
}

func (vs valueSet) fromEnviron(src Source) error {
	env := map[string]string{}
	for _, kv := range src.Environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	problems := strays(env)
	for _, s := range Settings() {
		if v, ok := env[s.Env()]; ok {
			vs[s.Name] = value{v, "environment " + s.Env()}
		}
		path, ok := env[s.Env()+fileSuffix]
		if !ok || !s.Secret {
			continue
		}
		text, err := src.Read(path)
		if err != nil {
			problems = append(problems, &Problem{s.Name, "environment " + s.Env() + fileSuffix, err.Error()})
			continue
		}
		vs[s.Name] = value{strings.TrimSpace(string(text)), "file " + path}
	}
	return errors.Join(problems...)
}

// strays finds the variables that were meant as settings and are none: those that read a file for what is no
// secret, and those that are almost a setting's name. Others with our prefix are let pass: orchestrators set
// variables such as OUTRIDER_SERVICE_HOST for a service of that name.
func strays(env map[string]string) []error {
	var endings []string // of the variables that are known
	known := map[string]bool{}
	add := func(name string) {
		known[name] = true
		endings = append(endings, name[len(envPrefix):])
	}
	for _, s := range Settings() {
		add(s.Env())
		if s.Secret {
			add(s.Env() + fileSuffix)
		}
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if known[name] || !strings.HasPrefix(name, envPrefix) {
			continue
		}
		if base, ok := strings.CutSuffix(name, fileSuffix); ok && known[base] {
			problems = append(problems, &Problem{name, "environment", "only a secret is read from a file: set " + base})
		} else if best := nearest(name[len(envPrefix):], endings); best != "" {
			problems = append(problems, &Problem{name, "environment", "there is no such setting; did you mean " + envPrefix + best + "?"})
		}
	}
	return problems
}

func find(name string) (Setting, bool) {
	for _, s := range Settings() {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

// unknown says that a name is no setting, and names the nearest one.
func unknown(name string) string {
	best := Nearest(name)
	if best == "" {
		return "there is no such setting; docs/config.md lists them"
	}
	return fmt.Sprintf("there is no such setting; did you mean %s?", best)
}

// Nearest is the setting whose name is the misspelt one's, but for a few letters; empty: there is none.
func Nearest(name string) string {
	var names []string
	for _, s := range Settings() {
		names = append(names, s.Name)
	}
	return nearest(name, names)
}

// nearest is the name that is at most three edits away, or an edit for three letters of a short one; empty:
// none is.
func nearest(name string, names []string) string {
	best, near := "", min(4, 1+len(name)/3)
	for _, n := range names {
		if d := distance(name, n); d < near {
			best, near = n, d
		}
	}
	return best
}

// distance is the number of single-letter edits between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
