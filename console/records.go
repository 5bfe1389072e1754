package console

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"outrider/store"
)

const tagRecord = "Record"

// records serves what happened: crossings, deliveries and dead letters, newest first.
type records struct{ store Records }

func newRecords(o Options) *records { return &records{o.Store} }

func (c *records) register(r *router) {
	newestFirst := func(id, path, summary string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{tagRecord}, Summary: summary, Description: "Newest first.",
		}
	}
	handle(r, newestFirst("list-crossings", "/api/v1/crossings", "List crossings"), c.crossings)
	handle(r, newestFirst("list-deliveries", deliveriesPath, "List deliveries"), c.deliveries)
	handle(r, huma.Operation{
		OperationID: "get-delivery", Method: http.MethodGet, Path: deliveriesPath + "/{id}", Tags: []string{tagRecord},
		Summary: "Read a delivery", Errors: []int{http.StatusNotFound},
	}, c.delivery)
	handle(r, newestFirst("list-dead-letters", "/api/v1/dead-letters", "List refused input"), c.deadLetters)
}

// readRecord reads a page of the record: one row more than asked for says whether there is another page.
func readRecord[R, T any](
	ctx context.Context, p Paging, q store.Query,
	read func(context.Context, store.Query) ([]R, error), seq func(R) uint64, show func(R) T,
) (*listAnswer[T], error) {
	before, err := p.beforeSeq()
	if err != nil {
		return nil, err
	}
	q.Tenant, q.Before, q.Limit = tenantOf(ctx), before, p.Limit+1
	rows, err := read(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, more := cut(rows, p.Limit)
	next := ""
	if more {
		next = nextSeq(seq(rows[len(rows)-1]))
	}
	return newListAnswer(ctx, each(rows, show), next), nil
}
