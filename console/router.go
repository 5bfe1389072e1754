package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Media types of bodies.
const (
	mediaJSON    = "application/json"
	mediaGeoJSON = "application/geo+json"
)

// Limits of a request's body: its size in bytes, and the time in which it must have come.
const (
	maxBody      = 64 << 10
	maxFenceBody = 4 << 20
	bodyTimeout  = 30 * time.Second
)

// keyScheme is the name of the bearer key in the OpenAPI description.
const keyScheme = "key"

// router registers operations of the API and gives them what they have in common: the key, the tenant, the
// limits, the rendering of problems, and their place in the OpenAPI description.
type router struct {
	api    huma.API
	logger *slog.Logger
	keys   keys
	audit  *auditor
}

func newRouter(mux *http.ServeMux, o Options, slow throttles) *router {
	c := huma.DefaultConfig("Outrider", "1")
	c.Info.Description = apiDescription
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{keyScheme: {
		Type: "http", Scheme: "bearer", Description: "An API key of the gateway.",
	}}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Tags = []*huma.Tag{
		{Name: tagFences, Description: "Areas whose crossings are watched, as GeoJSON features."},
		{Name: tagRegistry, Description: "Vehicles, the people who own them, and the Facebook pages that reach those people."},
		{Name: tagAccess, Description: "Who may call, and as what."},
		{Name: tagRules, Description: "Who hears of which events, when, and why somebody did or did not."},
		{Name: tagRecord, Description: "What happened: crossings, messages, and input that was refused."},
	}
	c.RejectUnknownQueryParameters = true
	// PERF, SAFETY: huma's own OpenAPI, docs and schema pages are off: the first is built lazily without a lock,
	// the second loads scripts from elsewhere. Its create hook would put a $schema member into GeoJSON.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil

	r := &router{logger: o.Logger, keys: newKeys(o, slow)}
	c.Transformers = []huma.Transformer{r.explain}
	r.api = humago.New(mux, c)
	r.audit = &auditor{store: o.Store, mux: mux, now: o.Now, logger: o.Logger}
	repeats := &idempotency{store: o.Store, now: o.Now, logger: o.Logger}
	r.api.UseMiddleware(r.keys.middleware, acceptBody, repeats.middleware, r.audit.middleware)
	return r
}

// schemaName names a type in the description.
func schemaName(t reflect.Type, hint string) string {
	switch name := huma.DefaultSchemaNamer(t, hint); name {
	case "ErrorModel":
		return "Problem"
	case "ErrorDetail":
		return "Fault"
	default:
		return name
	}
}

const apiDescription = `The REST API of the Outrider gateway.

Errors are problem documents (RFC 9457) whose errors name the field and what was expected. Lists come in pages:
pass the next cursor, or follow the Link header. Fields that are marked read-only may be sent back and are ignored.`

// handle registers an operation. What fn returns as error is answered by [router.answer].
func handle[I, O any](r *router, op huma.Operation, fn func(context.Context, *I) (*O, error)) {
	op.Security = []map[string][]string{{keyScheme: {}}}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: tenantHeader, In: "header", Schema: &huma.Schema{Type: "string", Default: "default"},
		Description: "The tenant to act on, for the bootstrap key. Another key acts on its own.",
	})
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError)
	op.BodyReadTimeout = bodyTimeout
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
	}
	if op.Method == http.MethodPost {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: idempotencyHeader, In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "A word of your own for this request. Repeated within 24 hours with the same word, it is not made again: the first answer comes again.",
		})
		op.Errors = append(op.Errors, http.StatusConflict)
	}
	if op.Method == http.MethodPut || op.Method == http.MethodPost || op.Method == http.MethodPatch {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType)
	}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, r.answer(ctx, err)
		}
		return out, nil
	})
}

// acceptBody refuses bodies of a type that the operation does not take, before they are read.
func acceptBody(ctx huma.Context, next func(huma.Context)) {
	body := ctx.Operation().RequestBody
	if body == nil {
		next(ctx)
		return
	}
	var takes []string
	for media := range body.Content {
		takes = append(takes, media)
	}
	slices.Sort(takes)
	given := ctx.Header("Content-Type")
	media, _, err := mime.ParseMediaType(given)
	encoding := ctx.Header("Content-Encoding")
	if given != "" && (err != nil || !slices.Contains(takes, media)) || encoding != "" && encoding != "identity" {
		_, w := humago.Unwrap(ctx)
		writeProblem(w, problem(http.StatusUnsupportedMediaType, fmt.Sprintf(
			"expected the header \"Content-Type: %s\" and a body without Content-Encoding", strings.Join(takes, " or "))))
		return
	}
	next(ctx)
}

// description serves the OpenAPI 3.1 document, which is complete now.
func (r *router) description() (http.Handler, error) {
	text, err := json.Marshal(r.api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("console: describe the API: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, "application/openapi+json", text)
	}), nil
}

// operations lists the API by path, reads first.
func operations(api *huma.OpenAPI) []*huma.Operation {
	var all []*huma.Operation
	for _, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *huma.Operation) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// settling is how long a change may take to become durable and in force. It goes on when the client has gone:
// a change that is stored but not in force would be worse than an answer nobody reads.
const settling = 30 * time.Second

func settle(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), settling)
}
