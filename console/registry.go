package console

import (
	"context"
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
	changes
}

// changes makes changes of what is also kept in memory.
type changes struct {
	reload func(context.Context) error // brings memory up to date

	// writing guards no field. It makes a change and the reload after it one step, I/O included: of two reloads
	// at once the older could win, and leave memory without a change that was answered as done.
	writing sync.Mutex
}

func newRegistry(o Options) *registry {
	return &registry{store: o.Store, directory: o.Directory, pageChanged: o.PageChanged, checkURL: o.CheckChannel,
		links: o.Links, healths: o.Health, messages: o.Messages, wake: o.Wake, now: o.Now, changes: changes{reload: o.Reload}}
}

func (g *registry) register(r *router) {
	g.registerVehicles(r)
	g.registerOwners(r)
	g.registerPages(r)
	g.registerLinks(r)
	g.registerMessages(r)
	g.registerTexts(r)
}

// change stores something and brings memory up to date with it.
func (c *changes) change(ctx context.Context, put func(context.Context) error) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	ctx, cancel := settle(ctx)
	defer cancel()
	if err := put(ctx); err != nil {
		return err
	}
	return c.reload(ctx)
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

// after returns the records behind the id, one more than the page may hold. They are sorted by id.
func after[T any, K ~string](all []T, id func(T) K, from K, limit int) []T {
	begin := 0
	if from != "" {
		begin = searchAfter(all, id, from)
	}
	return all[begin:min(len(all), begin+limit+1)]
}
