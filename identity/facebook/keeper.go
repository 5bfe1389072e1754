package facebook

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
	"outrider/internal/graph"
)

// KeeperStore is where a Keeper keeps what it finds. All methods are safe for many goroutines.
type KeeperStore interface {
	PutPage(ctx context.Context, p identity.Page) error
	PutPageHealth(ctx context.Context, h identity.PageHealth) error
	PageHealth(ctx context.Context, page identity.PageID) (identity.PageHealth, error)
	PutAccount(ctx context.Context, a identity.Account) error
	Accounts(ctx context.Context) ([]identity.Account, error)
	ForgetToken(ctx context.Context, asid identity.ASID) (bool, error)
}

// KeeperOptions is what a Keeper is made of. Graph, Directory, Store and Now are required.
type KeeperOptions struct {
	Graph     *graph.Client
	Directory *identity.Directory
	Store     KeeperStore
	Now       func() time.Time
	AppID     string         // empty: tokens are not checked
	AppSecret identity.Token // the same

	// Menu is the persistent menu that pages get, unless somebody else gave them one; nil: none.
	Menu Menu

	// Mine reports whether this process looks after a page now; that without a name stands for the accounts. nil: it looks
	// after all.
	Mine func(identity.PageID) bool
	// Reload brings the directory up to date with the store; nil: nothing is called.
	Reload func(ctx context.Context) error
	// PageChanged is told of a page whose token was renewed, after Reload. It must not block. nil: nobody is told.
	PageChanged func(identity.PageID)
	Logger      *slog.Logger          // nil: silent
	Registerer  prometheus.Registerer // nil: unregistered

	Every      time.Duration // between two looks at a page's subscription; 0: 1 h
	TokenEvery time.Duration // between two looks at a page's token; 0: 24 h
	Timeout    time.Duration // of one call; 0: 20 s
}

// Keeper looks after pages: hourly whether each is still subscribed to its webhook, which Meta ends after an hour in
// which the gateway could not be reached, and repairs that; daily whether its token still works, lasts and may do
// what is needed, and renews it where an account that manages the page has logged in. What it finds is stored.
//
// All methods are safe for many goroutines.
type Keeper struct {
	o       KeeperOptions
	metrics *keeperMetrics
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	start   sync.Once
	asked   chan struct{} // sent by Ask, capacity 1, never closed

	mu    sync.Mutex // guards pages
	pages []identity.PageID
}

// NewKeeper returns a keeper that does nothing before Start.
func NewKeeper(o KeeperOptions) (*Keeper, error) {
	if o.Graph == nil || o.Directory == nil || o.Store == nil || o.Now == nil {
		return nil, errors.New("facebook: a keeper needs Graph, Directory, Store and Now")
	}
	o.Every, o.TokenEvery, o.Timeout = cmp.Or(o.Every, time.Hour), cmp.Or(o.TokenEvery, 24*time.Hour), cmp.Or(o.Timeout, 20*time.Second)
	if o.Mine == nil {
		o.Mine = func(identity.PageID) bool { return true }
	}
	if o.Reload == nil {
		o.Reload = func(context.Context) error { return nil }
	}
	if o.PageChanged == nil {
		o.PageChanged = func(identity.PageID) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{o: o, metrics: newKeeperMetrics(o.Registerer), asked: make(chan struct{}, 1)}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k, nil
}

// Start looks after every page of the directory and returns at once. A second call does nothing.
func (k *Keeper) Start(context.Context) error {
	k.start.Do(func() { k.wg.Go(k.run) })
	return nil
}

// Stop cuts what is under way: all of it is safe to do again. It may be called any number of times.
func (k *Keeper) Stop(context.Context) error {
	k.cancel()
	k.wg.Wait()
	return nil
}

// Ask looks at a page soon, as after it was connected. It never blocks.
func (k *Keeper) Ask(page identity.PageID) {
	k.mu.Lock()
	k.pages = append(k.pages, page)
	k.mu.Unlock()
	select {
	case k.asked <- struct{}{}:
	default: // asked already
	}
}

// run looks at all pages now and then, and at those that were asked for at once. The interval varies a little, so
// that many gateways do not call Graph together.
func (k *Keeper) run() {
	k.renewAccounts()
	k.lookAtAll()
	for {
		t := time.NewTimer(k.o.Every + time.Duration(rand.Int64N(int64(k.o.Every/20)+1)))
		select {
		case <-t.C:
			k.renewAccounts()
			k.lookAtAll()
		case <-k.asked:
			k.lookAt(k.taken(), true)
		case <-k.ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

func (k *Keeper) taken() []identity.PageID {
	k.mu.Lock()
	defer k.mu.Unlock()
	pages := k.pages
	k.pages = nil
	slices.Sort(pages)
	return slices.Compact(pages)
}

func (k *Keeper) lookAtAll() {
	var ids []identity.PageID
	for _, p := range k.o.Directory.AllPages() {
		ids = append(ids, p.ID)
	}
	k.lookAt(ids, false)
}

// together is how many pages are looked at at once.
const together = 4

func (k *Keeper) lookAt(pages []identity.PageID, fresh bool) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, together)
	for _, page := range pages {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if k.ctx.Err() == nil {
				k.look(page, fresh)
			}
		})
	}
	wg.Wait()
}

// look checks one page; its token only when that is due, or when fresh says that the page changed.
func (k *Keeper) look(id identity.PageID, fresh bool) {
	page, ok := k.o.Directory.Page(id)
	if !ok || page.AccessToken.Empty() || !k.o.Mine(id) {
		return
	}
	h, err := k.o.Store.PageHealth(k.ctx, id)
	if err != nil {
		k.o.Logger.Error("health of a page not read", "page", id, "cause", err)
		return
	}
	before := h
	if fresh || k.o.Now().Sub(h.Checked) >= k.o.TokenEvery {
		page = k.checkToken(page, &h)
	}
	k.checkSubscription(page, &h)
	if k.ctx.Err() != nil || h.Equal(before) {
		return
	}
	if err := k.o.Store.PutPageHealth(k.ctx, h); err != nil {
		k.o.Logger.Error("health of a page not kept", "page", id, "cause", err)
	}
}

// checkSubscription sees that the page is subscribed to every field, and repairs it.
func (k *Keeper) checkSubscription(page identity.Page, h *identity.PageHealth) {
	s, err := InspectSubscription(k.ctx, k.call, page, k.o.AppID)
	result := subscriptionOK
	if err == nil && (len(s.Missing()) > 0 || !s.GetStarted || k.wantsMenu(s)) {
		result = subscriptionRepaired
		if err = k.repair(page, s); err == nil {
			k.tell(page, s)
		}
	}
	if k.ctx.Err() != nil {
		return
	}
	if err != nil {
		k.metrics.subscriptions.WithLabelValues(checkFailed).Inc()
		k.o.Logger.Error("webhook subscription of a page not checked", "page", page.ID, "cause", err)
		h.Subscription = err.Error()
		return
	}
	k.metrics.subscriptions.WithLabelValues(result).Inc()
	h.Subscribed, h.Subscription = k.o.Now(), ""
}

// tell says what was repaired. The button is missing once on every page; a subscription that ends is a sign of trouble.
func (k *Keeper) tell(page identity.Page, s Subscription) {
	if missing := s.Missing(); len(missing) > 0 {
		k.o.Logger.Warn("page was not subscribed to its webhook as it should be, repaired", "page", page.ID, "missing", strings.Join(missing, ", "))
	}
	if !s.GetStarted {
		k.o.Logger.Info("page got the Get Started button that link codes need", "page", page.ID)
	}
	if k.wantsMenu(s) {
		k.o.Logger.Info("page got the menu", "page", page.ID)
	}
}

func (k *Keeper) call(ctx context.Context, c graph.Call, answer any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, k.o.Timeout, errNoAnswer)
	defer cancel()
	return k.o.Graph.Do(ctx, c, answer)
}

func (k *Keeper) appToken() identity.Token { return AppToken(k.o.AppID, k.o.AppSecret) }

// The results of checks.
const (
	checkFailed          = "failed" // nothing was found out
	subscriptionOK       = "ok"
	subscriptionRepaired = "repaired"
	tokenValid           = "valid"
	tokenRenewed         = "renewed"
	tokenInvalid         = "invalid"
)
