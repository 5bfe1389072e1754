package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/identity"
	"outrider/notify"
)

type backlogs struct {
	all []notify.Backlog
	err error
}

func (b *backlogs) Backlog(context.Context) ([]notify.Backlog, error) { return b.all, b.err }

func TestBacklogOfPages(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	waiting := &backlogs{all: []notify.Backlog{
		{Page: "1", Pending: 3, Oldest: now.Add(-90 * time.Second)},
		{Page: "gone", Pending: 1, Oldest: now.Add(time.Second)}, // a tracker's clock may be ahead
	}}
	pages := func() []identity.Page { return []identity.Page{{ID: "1"}, {ID: "2"}} }
	c := notify.NewBacklogCollector(waiting, pages, func() time.Time { return now })
	names := []string{"outrider_page_backlog_deliveries", "outrider_page_backlog_age_seconds", "outrider_page_backlog_failures_total"}
	want := `
# HELP outrider_page_backlog_age_seconds Age of the oldest event that a delivery of the page waits to tell of; 0 when none waits.
# TYPE outrider_page_backlog_age_seconds gauge
outrider_page_backlog_age_seconds{page="1"} 90
outrider_page_backlog_age_seconds{page="2"} 0
outrider_page_backlog_age_seconds{page="gone"} 0
# HELP outrider_page_backlog_deliveries Deliveries that wait to be sent, by page; held ones are left out.
# TYPE outrider_page_backlog_deliveries gauge
outrider_page_backlog_deliveries{page="1"} 3
outrider_page_backlog_deliveries{page="2"} 0
outrider_page_backlog_deliveries{page="gone"} 1
# HELP outrider_page_backlog_failures_total Times that the store did not say what waits for the pages.
# TYPE outrider_page_backlog_failures_total counter
outrider_page_backlog_failures_total 0
`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	waiting.err = errors.New("no database")
	if n := testutil.CollectAndCount(c, names...); n != 1 {
		t.Errorf("a store that fails gives %d figures, want the count of failures alone", n)
	}
}
