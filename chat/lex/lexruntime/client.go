package lexruntime

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/sony/gobreaker/v2"

	"outrider/chat"
	"outrider/chat/lex"
	"outrider/identity"
)

// Options is what a client is made of. Region, Bot, Alias, Credentials and HTTP are required.
type Options struct {
	Region      string // such as "eu-central-1"
	Bot, Alias  string // ids, not names
	Locale      string // such as "en_US", of everybody; empty: of each person's language
	Credentials aws.CredentialsProvider
	HTTP        *http.Client
	Timeout     time.Duration    // of one question; 0: two seconds
	URL         string           // of the service; empty: AWS's in the region
	Now         func() time.Time // nil: the machine's clock
	Logger      *slog.Logger     // nil: silent
}

// Client asks a bot. It is safe for many goroutines.
type Client struct {
	o       Options
	signer  *v4.Signer
	breaker *gobreaker.CircuitBreaker[*answer]
}

var _ chat.Understander = (*Client)(nil)

// Limits of RecognizeText, and of an answer.
const (
	longestText   = 1024 // characters
	mostAnswer    = 256 << 10
	usualTimeout  = 2 * time.Second
	failuresInRow = 5                // then nobody waits for Lex any more
	pauseAfter    = 30 * time.Second // until it is asked again
)

// service is Lex's name in signatures.
const service = "lex"

// NewClient checks the options. It asks nothing yet.
func NewClient(o Options) (*Client, error) {
	switch {
	case o.Region == "" || o.Bot == "" || o.Alias == "":
		return nil, errors.New("lexruntime: expected a region, a bot's id and an alias's id")
	case o.Credentials == nil || o.HTTP == nil:
		return nil, errors.New("lexruntime: a client needs Credentials and HTTP")
	}
	o.URL = strings.TrimRight(cmp.Or(o.URL, "https://runtime-v2-lex."+o.Region+".amazonaws.com"), "/")
	o.Timeout = cmp.Or(o.Timeout, usualTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{o: o, signer: v4.NewSigner()}
	c.breaker = gobreaker.NewCircuitBreaker[*answer](gobreaker.Settings{
		Name: "lex", Timeout: pauseAfter,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= failuresInRow },
		IsSuccessful: func(err error) bool {
			f, ok := errors.AsType[*Fault](err)
			return err == nil || ok && f.Status < http.StatusInternalServerError && f.Status != http.StatusTooManyRequests && f.Status != http.StatusForbidden
		},
	})
	return c, nil
}

// Fault is an error that Lex answered with.
type Fault struct {
	Status  int
	Type    string // such as "ThrottlingException"
	Message string
}

// Error implements error.
func (f *Fault) Error() string {
	return fmt.Sprintf("lexruntime: %d %s: %s", f.Status, f.Type, f.Message)
}

// Recognize implements chat.Understander.
func (c *Client) Recognize(ctx context.Context, m chat.Message, language string) (chat.Recognized, error) {
	locale := cmp.Or(c.o.Locale, lex.LocaleOf(language))
	if locale == "" {
		return chat.Recognized{}, nil // a language that Lex does not speak
	}
	a, err := c.breaker.Execute(func() (*answer, error) { return c.ask(ctx, m, locale) })
	if err != nil {
		if !errors.Is(err, gobreaker.ErrOpenState) && !errors.Is(err, gobreaker.ErrTooManyRequests) {
			c.o.Logger.Warn("lex did not answer, the built-in grammar does", "cause", err)
		}
		return chat.Recognized{}, err
	}
	return a.recognized(), nil
}

// errTimeout is the cause of a question that took too long.
var errTimeout = errors.New("lexruntime: no answer in time")

// Check asks the bot something harmless, as a session of its own, and returns what stands in the way.
func (c *Client) Check(ctx context.Context) error {
	_, err := c.ask(ctx, chat.Message{PSID: "outrider-check", Text: "help"}, cmp.Or(c.o.Locale, "en_US"))
	return err
}

func (c *Client) ask(ctx context.Context, m chat.Message, locale string) (*answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, errTimeout)
	defer cancel()
	text := m.Text
	if r := []rune(text); len(r) > longestText {
		text = string(r[:longestText])
	}
	body, err := json.Marshal(map[string]any{"text": text})
	if err != nil {
		return nil, fmt.Errorf("lexruntime: %w", err)
	}
	r, err := c.request(ctx, m.PSID, locale, body)
	if err != nil {
		return nil, err
	}
	res, err := c.o.HTTP.Do(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("lexruntime: recognize text: %w", err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return nil, fmt.Errorf("lexruntime: recognize text: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fault(res, said)
	}
	var a answer
	if err := json.Unmarshal(said, &a); err != nil {
		return nil, fmt.Errorf("lexruntime: the answer of RecognizeText: %w", err)
	}
	return &a, nil
}

// request is a signed call of RecognizeText.
func (c *Client) request(ctx context.Context, psid identity.PSID, locale string, body []byte) (*http.Request, error) {
	path := "/bots/" + url.PathEscape(c.o.Bot) + "/botAliases/" + url.PathEscape(c.o.Alias) + "/botLocales/" + url.PathEscape(locale) +
		"/sessions/" + url.PathEscape(session(psid)) + "/text"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("lexruntime: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	key, err := c.o.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("lexruntime: credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := c.signer.SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), service, c.o.Region, c.o.Now()); err != nil {
		return nil, fmt.Errorf("lexruntime: sign: %w", err)
	}
	return r, nil
}

var sessionID = regexp.MustCompile(`^[0-9a-zA-Z._:-]{2,100}$`)

// session is the person's id, under which a Lambda function of the bot knows them; a hash of one that Lex would refuse.
func session(psid identity.PSID) string {
	if s := string(psid); sessionID.MatchString(s) {
		return s
	}
	sum := sha256.Sum256([]byte(psid))
	return hex.EncodeToString(sum[:16])
}

// fault reads an error of AWS's REST-JSON protocol: its type is in a header, may carry a namespace or a URL.
func fault(res *http.Response, body []byte) *Fault {
	var said struct {
		Message string `json:"message"`
		Upper   string `json:"Message"`
	}
	_ = json.Unmarshal(body, &said) // what is no JSON has no message
	kind, _, _ := strings.Cut(res.Header.Get("X-Amzn-Errortype"), ":")
	if i := strings.LastIndex(kind, "#"); i >= 0 {
		kind = kind[i+1:]
	}
	return &Fault{res.StatusCode, cmp.Or(kind, "UnknownError"), cmp.Or(said.Message, said.Upper)}
}
