package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/notify"
	"outrider/store"
)

const (
	rulesPath = "/api/v1/rules"
	tagRules  = "Rules"
)

// rule is a rule as callers see and write it.
type rule struct {
	ID string `json:"id,omitempty" maxLength:"128" doc:"Given on creation, or made up then."`
	notify.Rule
	Made    bool       `json:"made" readOnly:"true" doc:"False for the rule that every tenant has, as long as nobody made another of its id."`
	Updated *time.Time `json:"updated,omitempty" readOnly:"true"`
}

// Resolve implements huma.Resolver: what is wrong with a rule beyond what the schema says.
func (r *rule) Resolve(ctx huma.Context) []error {
	var f faults
	if id := ctx.Param("id"); id != "" {
		sameID(&f, "id", r.ID, id)
	}
	for _, x := range notify.CheckRule(&r.Rule) {
		f.add("body."+x.Field, x.Value, "%s", x.Err.Error())
	}
	return f
}

// rules serves who hears of what: it reads the rulebook and writes the store.
type rules struct {
	o Options
	// writing guards no field. It makes a change and taking over all rules after it one step, I/O included: of two readings
	// at once the older could win, and leave memory without a change that was answered as done.
	writing sync.Mutex
	trying  sync.Mutex // held by the one dry run that may be under way
}

func (c *rules) register(r *router) {
	op := func(id, method, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Tags: []string{tagRules}, Summary: summary, Errors: errors}
	}
	list := op("list-rules", http.MethodGet, rulesPath, "List rules")
	list.Description = "Those of high priority first, then those with a preset or thresholds of their own, else by id. Of several rules that tell the same person of the same event the first counts. " +
		"The rule \"default\" is there until one of that id is made: owners hear of each enter and exit."
	handle(r, list, c.list)
	handle(r, op("get-rule", http.MethodGet, rulesPath+"/{id}", "Read a rule", http.StatusNotFound), c.get)
	create := op("create-rule", http.MethodPost, rulesPath, "Make a rule", http.StatusConflict)
	create.DefaultStatus = http.StatusCreated
	handle(r, create, c.create)
	handle(r, op("put-rule", http.MethodPut, rulesPath+"/{id}", "Make or replace a rule", http.StatusPreconditionFailed), c.put)
	remove := op("delete-rule", http.MethodDelete, rulesPath+"/{id}", "Delete a rule", http.StatusNotFound, http.StatusPreconditionFailed)
	remove.DefaultStatus = http.StatusNoContent
	handle(r, remove, c.delete)
	dry := op("try-rule", http.MethodPost, rulesPath+"/dry-run", "See what a rule would have told", http.StatusTooManyRequests)
	dry.Description = "The rule alone, over the positions of the last days that the journal holds, through gate and engine anew, as geofences, vehicles, owners and silences are now. " +
		"Nothing is stored or sent. One at a time; it ends after 30 seconds with what it has."
	handle(r, dry, c.dryRun)
	explain := op("explain", http.MethodGet, "/api/v1/explain", "See why an alert was sent, or was not")
	explain.Description = "What arrived of a vehicle around a time, what was crossed, what each rule says of it, and what became of each alert."
	handle(r, explain, c.explain)
}

// change stores something and puts the stored rules in force.
func (c *rules) change(ctx context.Context, put func(context.Context) error) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	ctx, cancel := settle(ctx)
	defer cancel()
	if err := put(ctx); err != nil {
		return err
	}
	return c.o.RulesChanged(ctx)
}

// ruleAnswer is the answer with one rule.
type ruleAnswer struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     rule
}

func showRule(r notify.Rule) rule {
	return rule{ID: r.ID, Rule: r, Made: r.Revision > 0, Updated: moment(r.Updated)}
}

func answerRule(status int, r notify.Rule) *ruleAnswer {
	return &ruleAnswer{Status: status, ETag: etag(r.Revision), Body: showRule(r)}
}

func (c *rules) list(ctx context.Context, _ *struct{}) (*listAnswer[rule], error) {
	return newListAnswer(ctx, each(c.o.Rulebook.Rules(tenantOf(ctx)), showRule), ""), nil
}

func (c *rules) get(ctx context.Context, in *IDPath) (*ruleAnswer, error) {
	r, ok := c.o.Rulebook.Rule(tenantOf(ctx), in.ID)
	if !ok {
		return nil, noRule(in.ID)
	}
	return answerRule(http.StatusOK, r), nil
}

func noRule(id string) error {
	return problem(http.StatusNotFound, fmt.Sprintf("there is no rule %q in this tenant", id))
}

func (c *rules) create(ctx context.Context, in *struct{ Body rule }) (*ruleAnswer, error) {
	id := in.Body.ID
	if id == "" {
		id = strings.ToLower(rand.Text()[:16])
	}
	if fault := idFault(id); fault != "" {
		var f faults
		f.add("body.id", id, "%s", fault)
		return nil, f.problem()
	}
	r, err := c.save(ctx, id, in.Body, store.ExpectAbsent)
	if errors.Is(err, store.ErrConflict) {
		return nil, problem(http.StatusConflict, fmt.Sprintf("a rule %q exists already; PUT replaces it", id))
	}
	if err != nil {
		return nil, err
	}
	out := answerRule(http.StatusCreated, r)
	out.Location = rulesPath + "/" + url.PathEscape(id)
	return out, nil
}

func (c *rules) put(ctx context.Context, in *struct {
	IDPath
	Condition
	Body rule
}) (*ruleAnswer, error) {
	current, expect, err := c.expectation(ctx, in.ID, in.Condition)
	if err != nil {
		return nil, err
	}
	r, err := c.save(ctx, in.ID, in.Body, expect)
	if errors.Is(err, store.ErrConflict) {
		return nil, overtaken()
	}
	if err != nil {
		return nil, err
	}
	if current == 0 {
		return answerRule(http.StatusCreated, r), nil
	}
	return answerRule(http.StatusOK, r), nil
}

func (c *rules) delete(ctx context.Context, in *struct {
	IDPath
	Condition
}) (*struct{}, error) {
	_, expect, err := c.expectation(ctx, in.ID, in.Condition)
	if err != nil {
		return nil, err
	}
	tenant := tenantOf(ctx)
	err = c.change(ctx, func(ctx context.Context) error { return c.o.Store.DeleteRule(ctx, tenant, in.ID, expect) })
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, noRule(in.ID)
	case errors.Is(err, store.ErrConflict):
		return nil, overtaken()
	}
	return nil, err
}

// expectation checks the conditions of a request against the rule as it is now. It returns its revision, and the one
// the store is to expect.
func (c *rules) expectation(ctx context.Context, id string, when Condition) (current, expect uint64, err error) {
	r, _ := c.o.Rulebook.Rule(tenantOf(ctx), id)
	expect, err = when.expect(r.Revision)
	return r.Revision, expect, err
}

func (c *rules) save(ctx context.Context, id string, body rule, expect uint64) (notify.Rule, error) {
	r := body.Rule
	r.Tenant, r.ID = tenantOf(ctx), id
	slices.Sort(r.Vehicles.IDs)
	slices.Sort(r.Geofences.IDs)
	if err := c.affordable(&r); err != nil {
		return r, err
	}
	err := c.change(ctx, func(ctx context.Context) error {
		var err error
		r, err = c.o.Store.PutRule(ctx, r, expect)
		return err
	})
	return r, err
}

// readingsMost is how many readings of their own a tenant's rules may have: each costs as much as all other evaluation.
const readingsMost = 16

// affordable refuses a rule that would make too many readings.
func (c *rules) affordable(r *notify.Rule) error {
	readings := map[notify.Reading]bool{{}: true, r.Reading: true}
	for _, other := range c.o.Rulebook.Rules(r.Tenant) {
		if other.ID != r.ID && !other.Disabled {
			readings[other.Reading] = true
		}
	}
	if r.Disabled || len(readings)-1 <= readingsMost {
		return nil
	}
	return problem(http.StatusUnprocessableEntity, fmt.Sprintf(
		"expected at most %d different sets of preset and thresholds in the rules of a tenant: let this one have those of another rule", readingsMost))
}
