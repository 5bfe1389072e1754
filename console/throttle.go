package console

import (
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"outrider/internal/people"
)

// pace is how often something may happen: so many at once, and so many a second after that.
type pace struct {
	burst  int
	second rate.Limit
}

// The paces of paths that are open to everybody. Meta sends events in bunches from few addresses, and each is signed.
var (
	accountPace = pace{10, 0.1}
	addressPace = pace{30, 0.5}
	webhookPace = pace{20_000, 5_000}
	loginPace   = pace{60, 5}
	lexPace     = pace{2_000, 200}
	otherPace   = pace{2_000, 200} // the console's files, pictures, health, metrics, and what does not exist
)

// The paths that are open to everybody and have a pace of their own.
const (
	loginPath   = "/auth/facebook/"
	lexPath     = "/lex/fulfillment"
	webhookPath = "/webhook/messenger"
)

// bucketsMost is for how many names or addresses a limiter remembers; when it is full, those that are whole again
// are forgotten.
const bucketsMost = 10_000

// buckets is a token bucket for each name. It is safe for many goroutines.
type buckets struct {
	pace pace
	mu   sync.Mutex // guards all
	all  map[string]*rate.Limiter
}

func newBuckets(p pace) *buckets { return &buckets{pace: p, all: map[string]*rate.Limiter{}} }

// take takes a token of a name; otherwise it returns how long to wait for one.
func (b *buckets) take(name string, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.all[name]
	if l == nil {
		b.tidy(now)
		l = rate.NewLimiter(b.pace.second, b.pace.burst)
		b.all[name] = l
	}
	reservation := l.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// empty reports whether a name would have to wait; nothing is taken.
func (b *buckets) empty(name string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.all[name]
	return l != nil && l.TokensAt(now) < 1
}

// tidy makes room. When every bucket is in use all are forgotten: memory is bounded before fairness is.
func (b *buckets) tidy(now time.Time) {
	if len(b.all) < bucketsMost {
		return
	}
	for name, l := range b.all {
		if l.TokensAt(now) >= float64(b.pace.burst) {
			delete(b.all, name)
		}
	}
	if len(b.all) >= bucketsMost {
		clear(b.all)
	}
}

// forget makes a name's bucket whole.
func (b *buckets) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, name)
}

// guesses limits how often passwords are tried: for an account, whoever tries, and from an address, whatever account.
type guesses struct {
	accounts, addresses *buckets
	now                 func() time.Time
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{newBuckets(accountPace), newBuckets(addressPace), now}
}

func (g *guesses) take(id people.UserID, address string) error {
	now := g.now()
	if wait := g.addresses.take(address, now); wait > 0 {
		return slowDown(wait)
	}
	if wait := g.accounts.take(string(id), now); wait > 0 {
		return slowDown(wait)
	}
	return nil
}

// right is told of a right password.
func (g *guesses) right(id people.UserID) { g.accounts.forget(string(id)) }

// throttle limits what one address may ask of a public path.
type throttle struct {
	buckets *buckets
	next    http.Handler
	now     func() time.Time
	refused prometheus.Counter
}

// ServeHTTP implements http.Handler.
func (t *throttle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.permits(w, r) {
		t.next.ServeHTTP(w, r)
	}
}

// permits reports whether the request may be answered; if not, it is told when to come back.
func (t *throttle) permits(w http.ResponseWriter, r *http.Request) bool {
	wait := t.buckets.take(addressOf(r), t.now())
	if wait == 0 {
		return true
	}
	t.refused.Inc()
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	writeProblem(w, problem(http.StatusTooManyRequests, "too many requests from this address"))
	return false
}

// addressOf is whence a request comes, without the port; of an IPv6 address the network, since a client has 2⁶⁴ of them.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return host
	}
	return ip.Mask(net.CIDRMask(64, 128)).String()
}

// throttles wraps what is open to everybody.
type throttles struct {
	now     func() time.Time
	refused *prometheus.CounterVec
}

func newThrottles(o Options) throttles {
	t := throttles{o.Now, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrider_http_throttled_total", Help: "Requests to public paths refused because an address sent too many, by path.",
	}, []string{"path"})}
	if o.Registerer != nil {
		o.Registerer.MustRegister(t.refused)
	}
	return t
}

// other is the limit of all that is open to everybody and has no limit of its own.
func (t throttles) other() *throttle {
	return &throttle{buckets: newBuckets(otherPace), now: t.now, refused: t.refused.WithLabelValues("other")}
}

func (t throttles) wrap(path string, p pace, next http.Handler) http.Handler {
	return &throttle{buckets: newBuckets(p), next: next, now: t.now, refused: t.refused.WithLabelValues(path)}
}
