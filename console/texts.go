package console

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
	"outrider/notify"
)

const textsPath = "/api/v1/texts"

// texts are what messages say in one language, as callers see and write it.
type texts struct {
	Language string            `json:"language" readOnly:"true"`
	Texts    map[string]string `json:"texts" nullable:"false" doc:"The tenant's own texts by name; the gateway's are used for the others. Places are written {vehicle}, {fence} and {time}."`
	Standard map[string]string `json:"standard,omitempty" readOnly:"true" doc:"What the gateway says, by name."`
}

// LanguagePath names a language in a path. It is exported for binding only.
type LanguagePath struct {
	Language string `path:"language" enum:"en,de,es,pt_BR,hi,vi" doc:"The language, as Meta writes it."`
}

func (g *registry) registerTexts(r *router) {
	handle(r, huma.Operation{
		OperationID: "get-texts", Method: http.MethodGet, Path: textsPath + "/{language}", Tags: []string{tagRegistry},
		Summary: "Read what messages say", Description: "In one language: the tenant's own texts and the gateway's.",
	}, g.getTexts)
	handle(r, huma.Operation{
		OperationID: "put-texts", Method: http.MethodPut, Path: textsPath + "/{language}", Tags: []string{tagRegistry},
		Summary: "Replace what messages say", Description: "In one language. Templates whose words change are created anew on " +
			"the tenant's pages; until Meta has approved them the old ones are used.",
	}, g.putTexts)
}

func (g *registry) getTexts(ctx context.Context, in *LanguagePath) (*recordAnswer[texts], error) {
	return &recordAnswer[texts]{http.StatusOK, g.showTexts(ctx, in.Language)}, nil
}

func (g *registry) putTexts(ctx context.Context, in *struct {
	LanguagePath
	Body texts
}) (*recordAnswer[texts], error) {
	tenant := tenantOf(ctx)
	err := g.change(ctx, identity.TextsRef(tenant), func(ctx context.Context) error {
		return g.store.PutTexts(ctx, tenant, in.Language, in.Body.Texts)
	})
	if err != nil {
		return nil, err
	}
	for _, p := range g.directory.Pages(tenant) {
		g.pageChanged(p.ID)
	}
	return &recordAnswer[texts]{http.StatusOK, g.showTexts(ctx, in.Language)}, nil
}

// Resolve implements huma.Resolver: which texts cannot be used, and why.
func (t *texts) Resolve(ctx huma.Context) []error {
	var f faults
	sameID(&f, "language", t.Language, ctx.Param("language"))
	wrong := notify.CheckTexts(t.Texts)
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		f.add("body.texts."+name, nil, "%s", fmt.Sprint(wrong[name]))
	}
	return f
}

func (g *registry) showTexts(ctx context.Context, language string) texts {
	own := g.directory.Texts(tenantOf(ctx))[language]
	if own == nil {
		own = map[string]string{}
	}
	standard := map[string]string{}
	for _, name := range notify.TextNames() {
		standard[name] = strings.TrimSpace(notify.StandardText(name, language))
	}
	return texts{Language: language, Texts: own, Standard: standard}
}
