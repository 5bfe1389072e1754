package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"outrider/identity"
)

// DefaultDataDir is the default of data.dir.
const DefaultDataDir = "./data"

// Environment variables are named by a setting in capitals; a secret's may name a file instead.
const (
	envPrefix  = "OUTRIDER_"
	fileSuffix = "_FILE"
)

// Setting is one row of the table.
type Setting struct {
	Name    string
	Default string
	Secret  bool
	Reload  bool     // is taken over while the gateway runs
	Values  []string // the only ones that are accepted; none: not a closed list
	Doc     string   // meaning, for docs/config.md and --help

	set func(*Config, string) error
}

// Env is the setting's environment variable.
func (s Setting) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.Name, ".", "_"))
}

// accept reads a value into c.
func (s Setting) accept(c *Config, v string) error {
	if s.Values != nil && !slices.Contains(s.Values, v) {
		return fmt.Errorf("%q is not one of %s", v, strings.Join(s.Values, ", "))
	}
	return s.set(c, v)
}

// Settings returns the table.
func Settings() []Setting {
	return []Setting{
		{Name: "data.dir", Default: DefaultDataDir, Doc: "Directory of the journal, the SQLite database and generated secrets.",
			set: text(func(c *Config) *string { return &c.Data.Dir }, required)},
		{Name: "data.key", Secret: true, Doc: "Key that seals tokens at rest: 64 hex digits. Empty: generated once into `secret.key` in `data.dir`.",
			set: secret(func(c *Config) *identity.Token { return &c.Data.Key }, key)},
		{Name: "http.listen", Default: "127.0.0.1:8080", Doc: "Address of the REST API, the webhook, `/metrics` and the console.",
			set: text(func(c *Config) *string { return &c.HTTP.Listen }, required, listen)},
		{Name: "http.tls_cert", Doc: "PEM file of a certificate, with those in between, under which `http.listen` speaks HTTPS. It is read again when it changes. Empty: plain HTTP, for this machine alone or behind a reverse proxy.",
			set: text(func(c *Config) *string { return &c.HTTP.Cert })},
		{Name: "http.tls_key", Doc: "PEM file of its private key.",
			set: text(func(c *Config) *string { return &c.HTTP.Key })},
		{Name: "chat.mode", Default: "builtin", Values: []string{"builtin", "off"}, Doc: "Who answers people that write to a page: `builtin`, the gateway's own dialog; or `off`, nobody, as when people answer in Meta's inbox.",
			set: text(func(c *Config) *string { return &c.Chat.Mode })},
		{Name: "lex.key", Secret: true, Doc: "What Amazon Lex's Lambda function must know to use `/lex/fulfillment`. Empty: the path does not exist. See docs/lex.md.",
			set: secret(func(c *Config) *identity.Token { return &c.Lex.Key })},
		{Name: "lex.page", Doc: "Id of the page whose people talk to the Lex bot, when its events do not name it. Empty: the only page there is.",
			set: text(func(c *Config) *string { return &c.Lex.Page })},
		{Name: "lex.region", Doc: "AWS region of the Lex V2 bot that is asked what people mean (RecognizeText), such as `eu-central-1`. Empty: the built-in grammar alone understands. See docs/lex.md.",
			set: text(func(c *Config) *string { return &c.Lex.Region })},
		{Name: "lex.bot", Doc: "Id of that bot.",
			set: text(func(c *Config) *string { return &c.Lex.Bot })},
		{Name: "lex.alias", Doc: "Id of the bot's alias, such as `TSTALIASID`.",
			set: text(func(c *Config) *string { return &c.Lex.Alias })},
		{Name: "lex.locale", Doc: "Locale of the bot for everybody, such as `en_US`. Empty: that of each person's language.",
			set: text(func(c *Config) *string { return &c.Lex.Locale })},
		{Name: "lex.access_key_id", Doc: "Id of an AWS access key that may `lex:RecognizeText`. Empty: what the AWS SDK finds in its usual order (environment, shared files, web identity, container, instance).",
			set: text(func(c *Config) *string { return &c.Lex.KeyID })},
		{Name: "lex.secret_access_key", Secret: true, Doc: "The secret of that key.",
			set: secret(func(c *Config) *identity.Token { return &c.Lex.Secret })},
		{Name: "lex.timeout", Default: "2s", Doc: "How long the bot may take; then the built-in grammar answers.",
			set: duration(func(c *Config) *time.Duration { return &c.Lex.Timeout }, time.Millisecond)},
		{Name: "lex.url", Doc: "Where RecognizeText is, for a sandbox or a private endpoint. Empty: AWS's in the region.",
			set: text(func(c *Config) *string { return &c.Lex.URL }, scheme("http", "https"))},
		{Name: "oidc.issuer", Doc: "Base URL of an OpenID Connect provider at which people sign in to the console, such as `https://login.example/realms/fleet`. Empty: with a password only. See docs/access.md.",
			set: text(func(c *Config) *string { return &c.OIDC.Issuer }, scheme("https", "http"))},
		{Name: "oidc.client_id", Doc: "Id under which the provider knows this gateway; its redirect address there is `<http.public_url>/auth/oidc/callback`.",
			set: text(func(c *Config) *string { return &c.OIDC.ClientID })},
		{Name: "oidc.client_secret", Secret: true, Doc: "Secret of that client. Empty: a public client.",
			set: secret(func(c *Config) *identity.Token { return &c.OIDC.Secret })},
		{Name: "oidc.name", Default: "single sign-on", Doc: "What the button says after *Sign in with*.",
			set: text(func(c *Config) *string { return &c.OIDC.Name }, required)},
		{Name: "oidc.claim", Default: "email", Doc: "Claim with which a person is looked up. `email` counts only with `email_verified`.",
			set: text(func(c *Config) *string { return &c.OIDC.Claim }, required)},
		{Name: "oidc.role", Values: []string{"", "viewer", "operator", "admin"}, Doc: "Role of whom the provider knows and no admin let in: they are let in at their first sign-on. Empty: they are refused.",
			set: text(func(c *Config) *string { return &c.OIDC.Role })},
		{Name: "oidc.tenant", Default: "default", Doc: "Tenant of those.",
			set: text(func(c *Config) *string { return &c.OIDC.Tenant }, required)},
		{Name: "console.tiles", Doc: "Raster tiles under the console's map, `https://…/{z}/{x}/{y}.png`; browsers load them from there. Empty: the countries that are part of the gateway.",
			set: text(func(c *Config) *string { return &c.Console.Tiles }, scheme("http", "https"))},
		{Name: "console.pmtiles", Doc: "A PMTiles file (docs.protomaps.com) that is drawn under the console's map: pictures, or vector tiles with the layers of the Protomaps basemap. It needs no internet.",
			set: text(func(c *Config) *string { return &c.Console.PMTiles })},
		{Name: "console.attribution", Doc: "What the makers of those tiles want to be said of them, such as `© OpenStreetMap contributors`.",
			set: text(func(c *Config) *string { return &c.Console.Attribution })},
		{Name: "http.public_url", Doc: "Address under which people and Meta reach this gateway, such as `https://fleet.example`. With it people can log in with Facebook, and alerts carry a picture of the map, which Meta fetches. Empty: links lead straight to Messenger, and alerts are text.",
			set: text(func(c *Config) *string { return &c.HTTP.PublicURL }, scheme("https", "http"))},
		{Name: "alerts.card_life", Default: "72h", Doc: "How long the address of an alert's picture is good.",
			set: duration(func(c *Config) *time.Duration { return &c.Alerts.CardLife }, time.Minute)},
		{Name: "mqtt.listen", Default: "127.0.0.1:1883", Doc: "Address of the device endpoint that trackers publish to, without encryption. Empty turns it off. On a loopback address trackers need no password; on any other each needs a credential, see docs/trackers.md.",
			set: text(func(c *Config) *string { return &c.MQTT.Listen }, listen)},
		{Name: "mqtt.tls_listen", Doc: "Address of the device endpoint with TLS, such as `0.0.0.0:8883`; it needs `mqtt.tls_cert` and `mqtt.tls_key`. Empty: none.",
			set: text(func(c *Config) *string { return &c.MQTT.Endpoint.TLSListen }, listen)},
		{Name: "mqtt.ws_listen", Doc: "Address of the device endpoint over WebSocket, at any path; with TLS when there is a `mqtt.tls_cert`. Each tracker needs a credential. Empty: none.",
			set: text(func(c *Config) *string { return &c.MQTT.Endpoint.WSListen }, listen)},
		{Name: "mqtt.tls_cert", Doc: "PEM file of the device endpoint's certificate, with those in between. It is read again when it changes.",
			set: text(func(c *Config) *string { return &c.MQTT.Endpoint.Cert })},
		{Name: "mqtt.tls_key", Doc: "PEM file of its private key.",
			set: text(func(c *Config) *string { return &c.MQTT.Endpoint.Key })},
		{Name: "mqtt.client_ca", Doc: "PEM file of an authority whose certificates let trackers in over TLS without a password: the common name is the vehicle, the organisation the tenant (none: `default`). Empty: certificates are not asked for.",
			set: text(func(c *Config) *string { return &c.MQTT.Endpoint.ClientCA })},
		{Name: "mqtt.max_connections", Default: "20000", Doc: "How many trackers may be connected at once.",
			set: number(func(c *Config, n int64) { c.MQTT.Endpoint.MaxConnections = int(n) }, 1, 10_000_000)},
		{Name: "mqtt.connect_rate", Default: "50", Doc: "How many connections a second one address may open at the device endpoint in the long run, and ten seconds' worth at once; this machine's own has no limit. Raise it behind a load balancer that hides the trackers' addresses.",
			set: number(func(c *Config, n int64) { c.MQTT.Endpoint.ConnectRate = int(n) }, 1, 1_000_000)},
		{Name: "mqtt.max_packet", Default: "1048576", Doc: "Longest MQTT packet that is read of a tracker, in bytes; before it has signed in, 16 KiB.",
			set: number(func(c *Config, n int64) { c.MQTT.Endpoint.MaxPacket = int(n) }, 1024, 256<<20)},
		{Name: "mqtt.url", Doc: "External MQTT broker to read from: `tcp://`, `ssl://`, `ws://` or `wss://`. Empty: none. The broker keeps messages while the gateway is down, as far as its queue goes: mosquitto's `max_queued_messages` is 1,000 unless you raise it.",
			set: text(func(c *Config) *string { return &c.MQTT.URL }, scheme("tcp", "mqtt", "ssl", "tls", "mqtts", "ws", "wss"))},
		{Name: "mqtt.username", Doc: "User name at the external broker.",
			set: text(func(c *Config) *string { return &c.MQTT.Username })},
		{Name: "mqtt.password", Secret: true, Doc: "Password at the external broker.",
			set: secret(func(c *Config) *identity.Token { return &c.MQTT.Password })},
		{Name: "mqtt.url_ca", Doc: "PEM file of the authority that vouches for the external broker. Empty: the system's authorities.",
			set: text(func(c *Config) *string { return &c.MQTT.CA })},
		{Name: "mqtt.url_cert", Doc: "PEM file of a certificate with which the gateway signs in at the external broker. Empty: none.",
			set: text(func(c *Config) *string { return &c.MQTT.Cert })},
		{Name: "mqtt.url_key", Doc: "PEM file of its private key.",
			set: text(func(c *Config) *string { return &c.MQTT.Key })},
		{Name: "mqtt.client_id", Default: "outrider", Doc: "Client id at the external broker: it names the persistent session, so keep it, and let no two gateways share one.",
			set: text(func(c *Config) *string { return &c.MQTT.ClientID }, required)},
		{Name: "mqtt.topics", Default: "fleet/#,owntracks/#", Doc: "Topic filters read from the external broker, separated by commas; docs/trackers.md names those of other trackers.",
			set: listOf(func(c *Config) *[]string { return &c.MQTT.Topics })},
		{Name: "mqtt.connections", Default: "1", Doc: "Over how many connections the filters of `mqtt.topics` are divided; no topic may then match two of them, so that the messages of a topic keep their order. With `mqtt.share` there may be more of them than filters: each then reads all, and the engine restores the order. The sessions are called as `mqtt.client_id` says, `outrider-2`, `outrider-3` and so on.",
			set: number(func(c *Config, n int64) { c.MQTT.Connections = int(n) }, 1, 64)},
		{Name: "mqtt.share", Doc: "Shared-subscription group at the external broker. Empty: a subscription of our own.",
			set: text(func(c *Config) *string { return &c.MQTT.Share })},
		{Name: "mqtt.rules", Reload: true, Doc: "Which codec reads which topics, and where the ids stand in them: rules such as `plant/{vehicle}/up teltonika`, separated by semicolons or line ends. They come before the topics that are known by themselves. See docs/trackers.md.",
			set: text(func(c *Config) *string { return &c.MQTT.Rules })},
		{Name: "mqtt.mappings", Reload: true, Doc: "YAML file with JSON formats of your own. See docs/trackers.md.",
			set: text(func(c *Config) *string { return &c.MQTT.Mappings })},
		{Name: "store.url", Secret: true, Doc: "Database. Empty: SQLite in `data.dir`. Else `postgres://user:password@host:port/database`, PostgreSQL 15 or newer; pgx's parameters such as `sslmode`, `sslrootcert`, `pool_max_conns` are understood.",
			set: secret(func(c *Config) *identity.Token { return &c.Store.URL }, databaseURL)},
		{Name: "store.retention", Reload: true, Default: "8760h", Doc: "How long crossings and messages that are done with are kept in the record. 0: for ever.",
			set: duration(func(c *Config) *time.Duration { return &c.Store.Retention }, 0)},
		{Name: "nats.url", Secret: true, Doc: "NATS servers that keep the journal in JetStream: `nats://` or `tls://`, several separated by commas, with `user:password@` where they ask for it; nats-server 2.10 or newer. Empty: the journal is in files of `data.dir`. See docs/operations.md, A journal in NATS.",
			set: secret(func(c *Config) *identity.Token { return &c.NATS.URL }, natsURL)},
		{Name: "nats.credentials_file", Doc: "File with a NATS user's JWT and key (`.creds`), which is read again at each connection. Empty: none.",
			set: text(func(c *Config) *string { return &c.NATS.Credentials })},
		{Name: "nats.url_ca", Doc: "PEM file of the authority that vouches for the NATS servers. Empty: the system's authorities.",
			set: text(func(c *Config) *string { return &c.NATS.CA })},
		{Name: "nats.url_cert", Doc: "PEM file of a certificate with which the gateway signs in at the NATS servers. Empty: none.",
			set: text(func(c *Config) *string { return &c.NATS.Cert })},
		{Name: "nats.url_key", Doc: "PEM file of its private key.",
			set: text(func(c *Config) *string { return &c.NATS.Key })},
		{Name: "nats.prefix", Default: "outrider", Doc: "What the names of the gateway's streams, subjects and object store in NATS begin with. Gateways that share servers and are not one need one each.",
			set: text(func(c *Config) *string { return &c.NATS.Prefix }, required)},
		{Name: "nats.replicas", Default: "0", Values: []string{"0", "1", "3", "5"}, Doc: "On how many NATS servers each stream is: 1, 3 or 5. 0: new streams are on three when `nats.url` names three servers or the cluster has them, else on one.",
			set: number(func(c *Config, n int64) { c.NATS.Replicas = int(n) }, 0, 5)},
		{Name: "roles", Default: strings.Join(Roles(), ","), Doc: "What this process does: `ingest` takes in what trackers send, `engine` evaluates, `notify` sends and answers, `api` serves the API, the console and the webhook. A part of them needs `nats.url` and a PostgreSQL; see docs/cluster.md.",
			set: roles},
		{Name: "cluster.lease", Default: "5s", Doc: "Of several processes with the same `nats.url` and `store.url`: one that was not heard of for so long is given up, and the others take over what it had. The same in all of them.",
			set: duration(func(c *Config) *time.Duration { return &c.Cluster.Lease }, 100*time.Millisecond)},
		{Name: "journal.partitions", Default: "4", Doc: "Partitions of the journal, each with a lane of its own. Fixed when `data.dir`, or the streams in NATS, are first used.",
			set: number(func(c *Config, n int64) { c.Journal.Partitions = int(n) }, 1, 256)},
		{Name: "journal.retention", Default: "168h", Doc: "How long fixes are kept after they were processed.",
			set: duration(func(c *Config) *time.Duration { return &c.Journal.Retention }, 0)},
		{Name: "journal.max_bytes", Default: "10737418240", Doc: "Size above which the oldest processed fixes go earlier. 0: no limit.",
			set: number(func(c *Config, n int64) { c.Journal.MaxBytes = n }, 0, 1<<62)},
		{Name: "engine.preset", Default: "balanced", Values: []string{"strict", "balanced", "calm"}, Doc: "How much evidence a crossing needs: `strict`, `balanced` or `calm`.",
			set: text(func(c *Config) *string { return &c.Engine.Preset })},
		{Name: "engine.snapshot", Default: "30s", Doc: "How often a lane saves its state, which bounds what a restart replays.",
			set: duration(func(c *Config) *time.Duration { return &c.Engine.Snapshot }, time.Millisecond)},
		{Name: "alerts.max_age", Default: "24h", Doc: "An alert that could not be sent for so long expires. 0: never.",
			set: duration(func(c *Config) *time.Duration { return &c.Alerts.MaxAge }, 0)},
		{Name: "alerts.settle", Default: "1m", Doc: "How long to wait for the echo of a message whose answer was lost before judging whether it went out.",
			set: duration(func(c *Config) *time.Duration { return &c.Alerts.Settle }, time.Millisecond)},
		{Name: "channels.allow_private", Doc: "Addresses of private networks that owners' other channels may connect to, as CIDR ranges separated by commas, such as `10.1.0.0/16`. Empty: public addresses only.",
			set: prefixes(func(c *Config) *[]netip.Prefix { return &c.Channels.AllowPrivate })},
		{Name: "channels.timeout", Default: "10s", Doc: "How long a message to an owner's other channel may take.",
			set: duration(func(c *Config) *time.Duration { return &c.Channels.Timeout }, time.Second)},
		{Name: "graph.url", Default: "https://graph.facebook.com", Doc: "Base of Meta's Graph API.",
			set: text(func(c *Config) *string { return &c.Graph.URL }, required, scheme("https", "http"))},
		{Name: "graph.version", Default: "v26.0", Doc: "Version of the Graph API.",
			set: text(func(c *Config) *string { return &c.Graph.Version }, version)},
		{Name: "facebook.dialog_url", Default: "https://www.facebook.com", Doc: "Base of the login dialog.",
			set: text(func(c *Config) *string { return &c.Facebook.DialogURL }, required, scheme("https", "http"))},
		{Name: "facebook.link_url", Default: "https://m.me", Doc: "Base of links that open a conversation with a page.",
			set: text(func(c *Config) *string { return &c.Facebook.LinkURL }, required, scheme("https", "http"))},
		{Name: "facebook.login_connect", Default: "false", Values: []string{"true", "false"}, Doc: "`true` asks owners who log in whether the page may write to them (Login Connect with Messenger). The app needs `user_messenger_contact` for it.",
			set: truth(func(c *Config) *bool { return &c.Facebook.LoginConnect })},
		{Name: "facebook.config_id", Doc: "Configuration of Facebook Login for Business with which pages are connected. Empty: the dialog is asked for permissions.",
			set: text(func(c *Config) *string { return &c.Facebook.ConfigID })},
		{Name: "facebook.app_id", Doc: "Id of the app at Meta.",
			set: text(func(c *Config) *string { return &c.Facebook.AppID })},
		{Name: "facebook.app_secret", Secret: true, Doc: "Secret of the app: signs `appsecret_proof` and checks webhooks.",
			set: secret(func(c *Config) *identity.Token { return &c.Facebook.AppSecret })},
		{Name: "facebook.verify_token", Secret: true, Doc: "Word of your choice that Meta repeats when the webhook is set up.",
			set: secret(func(c *Config) *identity.Token { return &c.Facebook.VerifyToken })},
		{Name: "admin.key", Secret: true, Doc: "Bootstrap API key. Empty: generated once into `admin.key` in `data.dir`, and printed that once.",
			set: secret(func(c *Config) *identity.Token { return &c.Admin.Key }, longEnough)},
		{Name: "metrics.key", Secret: true, Doc: "Key that `/metrics` asks for, as a bearer token (`authorization: {credentials_file: …}` of Prometheus). Empty: whoever reaches `http.listen` reads it; it names pages, but no vehicles and no people.",
			set: secret(func(c *Config) *identity.Token { return &c.Metrics.Key }, longEnough)},
		{Name: "otel.endpoint", Doc: "URL of an OpenTelemetry collector that takes traces of alerts by OTLP over HTTP, such as `http://127.0.0.1:4318`. Empty: nothing is traced. See docs/operations.md.",
			set: text(func(c *Config) *string { return &c.OTel.Endpoint }, scheme("http", "https"))},
		{Name: "otel.share", Default: "1", Doc: "Which share of the alerts is traced, from 0 to 1.",
			set: share(func(c *Config) *float64 { return &c.OTel.Share })},
		{Name: "log.level", Reload: true, Default: "info", Values: []string{"debug", "info", "warn", "error"}, Doc: "`debug`, `info`, `warn` or `error`.",
			set: text(func(c *Config) *string { return &c.Log.Level })},
		{Name: "log.format", Default: "auto", Values: []string{"auto", "text", "json"}, Doc: "`text`, `json`, or `auto`: text on a terminal, JSON elsewhere.",
			set: text(func(c *Config) *string { return &c.Log.Format })},
	}
}

// check refuses a value with a sentence that says what was expected. It never repeats the value of a secret.
type check func(string) error

func text(field func(*Config) *string, checks ...check) func(*Config, string) error {
	return func(c *Config, v string) error {
		*field(c) = v
		return all(v, checks)
	}
}

func secret(field func(*Config) *identity.Token, checks ...check) func(*Config, string) error {
	return func(c *Config, v string) error {
		*field(c) = identity.NewToken(v)
		if v == "" {
			return nil
		}
		return all(v, checks)
	}
}

func duration(field func(*Config) *time.Duration, least time.Duration) func(*Config, string) error {
	return func(c *Config, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < least {
			return fmt.Errorf("%q is not a duration of at least %s, such as 90s or 24h", v, least)
		}
		*field(c) = d
		return nil
	}
}

func number(set func(*Config, int64), least, most int64) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is not a whole number from %d to %d", v, least, most)
		}
		set(c, n)
		return nil
	}
}

func share(field func(*Config) *float64) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || !(n >= 0 && n <= 1) {
			return fmt.Errorf("%q is not a number from 0 to 1", v)
		}
		*field(c) = n
		return nil
	}
}

func listOf(field func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, v string) error {
		*field(c) = split(v)
		if len(*field(c)) == 0 {
			return errors.New("expected at least one value")
		}
		return nil
	}
}

func prefixes(field func(*Config) *[]netip.Prefix) func(*Config, string) error {
	return func(c *Config, v string) error {
		var list []netip.Prefix
		for _, part := range split(v) {
			p, err := netip.ParsePrefix(part)
			if err != nil {
				return fmt.Errorf("%q is not a range of addresses such as 10.1.0.0/16", part)
			}
			list = append(list, p.Masked())
		}
		*field(c) = list
		return nil
	}
}

func truth(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) error {
		*field(c) = v == "true"
		return nil
	}
}

func split(v string) []string {
	var parts []string
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// Roles lists what a process may do.
func Roles() []string { return []string{"ingest", "engine", "notify", "api"} }

func roles(c *Config, v string) error {
	c.Roles = split(v)
	for _, r := range c.Roles {
		if !slices.Contains(Roles(), r) {
			return fmt.Errorf("%q is not a role; expected %s", r, strings.Join(Roles(), ", "))
		}
	}
	if len(c.Roles) == 0 {
		return fmt.Errorf("expected at least one of %s", strings.Join(Roles(), ", "))
	}
	return nil
}

func all(v string, checks []check) error {
	for _, ok := range checks {
		if err := ok(v); err != nil {
			return err
		}
	}
	return nil
}

func required(v string) error {
	if v == "" {
		return errors.New("expected a value, found none")
	}
	return nil
}

func listen(v string) error {
	if v == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return fmt.Errorf("%q is not host:port", v)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q: the port must be a number from 0 to 65535", v)
	}
	return nil
}

func scheme(allowed ...string) check {
	return func(v string) error {
		if v == "" {
			return nil
		}
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || !slices.Contains(allowed, u.Scheme) {
			return fmt.Errorf("expected a URL that begins with %s://", strings.Join(allowed, ":// or "))
		}
		if u.User != nil {
			return errors.New("expected a URL without user and password: these have settings of their own")
		}
		return nil
	}
}

var versionForm = regexp.MustCompile(`^v[0-9]+\.[0-9]+$`)

func version(v string) error {
	if versionForm.MatchString(v) {
		return nil
	}
	return fmt.Errorf("%q is not a version such as v26.0", v)
}

func key(v string) error {
	if b, err := hex.DecodeString(v); err != nil || len(b) != 32 {
		return errors.New("expected 64 hexadecimal digits (32 bytes)")
	}
	return nil
}

func longEnough(v string) error {
	if len(v) < 16 {
		return errors.New("expected at least 16 characters")
	}
	return nil
}

func databaseURL(v string) error {
	if v == "" || strings.HasPrefix(v, "postgres://") || strings.HasPrefix(v, "postgresql://") {
		return nil
	}
	return errors.New("expected postgres://user:password@host:port/database, or nothing for SQLite")
}

// natsURL accepts servers separated by commas. It does not repeat them: there may be a password in them.
func natsURL(v string) error {
	for i, part := range strings.Split(v, ",") {
		if part = strings.TrimSpace(part); i > 0 && !strings.Contains(part, "://") {
			part = "nats://" + part
		}
		u, err := url.Parse(part)
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return errors.New("expected nats://host:port or tls://host:port, several separated by commas, or nothing for files in data.dir")
		}
	}
	return nil
}
