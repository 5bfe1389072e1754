package console

import (
	"context"
	"hash/maphash"
	"iter"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
)

const tagRegistry = "Vehicles, owners, pages"

// registry serves vehicles, owners and pages: it reads them from the directory and writes them to the store.
type registry struct {
	store       Registry
	directory   *identity.Directory
	pageChanged func(identity.PageID)
	checkURL    func(identity.Token) error // of a channel
	links       Links                      // nil: nobody makes any
	healths     PageHealths                // nil: nobody looks
	messages    Messages                   // nil: nobody sends any
	wake        func(identity.PageID)
	now         func() time.Time
	reload      func(context.Context, ...identity.Ref) error

	// writing guards no field. Of one record it makes reading what is there, the change and taking that over one step, I/O
	// included, so that no change is lost between two; what shares a lock only waits.
	writing [64]sync.Mutex
	seed    maphash.Seed // says which record has which lock
}

func newRegistry(o Options) *registry {
	return &registry{store: o.Store, directory: o.Directory, pageChanged: o.PageChanged, checkURL: o.CheckChannel,
		links: o.Links, healths: o.Health, messages: o.Messages, wake: o.Wake, now: o.Now, reload: o.Reload, seed: maphash.MakeSeed()}
}

func (g *registry) register(r *router) {
	g.registerVehicles(r)
	g.registerOwners(r)
	g.registerPages(r)
	g.registerLinks(r)
	g.registerMessages(r)
	g.registerTexts(r)
}

// change stores a record and brings the directory up to date with it.
func (g *registry) change(ctx context.Context, ref identity.Ref, put func(context.Context) error) error {
	lock := &g.writing[maphash.Comparable(g.seed, ref)%uint64(len(g.writing))]
	lock.Lock()
	defer lock.Unlock()
	ctx, cancel := settle(ctx)
	defer cancel()
	if err := put(ctx); err != nil {
		return err
	}
	return g.reload(ctx, ref)
}

// recordAnswer is the answer with one record.
type recordAnswer[T any] struct {
	Status int
	Body   T
}

// stored is the answer to a PUT.
func stored[T any](body T, existed bool) *recordAnswer[T] {
	if existed {
		return &recordAnswer[T]{http.StatusOK, body}
	}
	return &recordAnswer[T]{http.StatusCreated, body}
}

// putting completes the operation of a PUT, which answers 201 when the record is new.
func putting(op huma.Operation, schema string) huma.Operation {
	op.Method = http.MethodPut
	op.Tags = []string{tagRegistry}
	op.Responses = map[string]*huma.Response{}
	for _, code := range []int{http.StatusOK, http.StatusCreated} {
		op.Responses[strconv.Itoa(code)] = &huma.Response{
			Description: http.StatusText(code), Content: map[string]*huma.MediaType{mediaJSON: {Schema: ref(schema)}},
		}
	}
	return op
}

// sameID notes a body that names another record than its path.
func sameID[T ~string](f *faults, field string, body, path T) {
	if body != "" && body != path {
		f.add("body."+field, string(body), "expected %q, the id in the path, or none", path)
	}
}

// some returns the first records, one more than the page may hold.
func some[T any](all iter.Seq[T], limit int) []T {
	var page []T
	for one := range all {
		if page = append(page, one); len(page) > limit {
			break
		}
	}
	return page
}
