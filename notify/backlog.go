package notify

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrider/identity"
)

// Backlog is what waits to be sent by a page.
type Backlog struct {
	Page    identity.PageID
	Pending int
	Oldest  time.Time // of the events that they tell of
}

// Backlogs counts what waits. It is safe for many goroutines.
type Backlogs interface {
	// Backlog returns the pages with pending deliveries, held ones left out.
	Backlog(ctx context.Context) ([]Backlog, error)
}

// backlogPatience is how long a scrape waits for the store.
const backlogPatience = 3 * time.Second

// backlogCollector asks the store whenever somebody reads the figures: they are those of the whole installation,
// whichever process sends.
type backlogCollector struct {
	store       Backlogs
	pages       func() []identity.Page
	now         func() time.Time
	failed      prometheus.Counter
	count, ages *prometheus.Desc
}

// NewBacklogCollector returns the figures of what waits for each of the pages, and of pages that are no longer among
// them.
func NewBacklogCollector(store Backlogs, pages func() []identity.Page, now func() time.Time) prometheus.Collector {
	return &backlogCollector{
		store: store, pages: pages, now: now,
		failed: prometheus.NewCounter(prometheus.CounterOpts{Name: "outrider_page_backlog_failures_total",
			Help: "Times that the store did not say what waits for the pages."}),
		count: prometheus.NewDesc("outrider_page_backlog_deliveries", "Deliveries that wait to be sent, by page; held ones are left out.", []string{"page"}, nil),
		ages: prometheus.NewDesc("outrider_page_backlog_age_seconds", "Age of the oldest event that a delivery of the page waits to tell of; 0 when none waits.",
			[]string{"page"}, nil),
	}
}

// Describe implements [prometheus.Collector].
func (c *backlogCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.count
	ch <- c.ages
	c.failed.Describe(ch)
}

// Collect implements [prometheus.Collector]. When the store fails there are no figures rather than wrong ones.
func (c *backlogCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogPatience)
	defer cancel()
	waiting, err := c.store.Backlog(ctx)
	if err != nil {
		c.failed.Inc()
	}
	c.failed.Collect(ch)
	if err != nil {
		return
	}
	all := map[identity.PageID]Backlog{}
	for _, p := range c.pages() {
		all[p.ID] = Backlog{}
	}
	for _, b := range waiting {
		all[b.Page] = b
	}
	for page, b := range all {
		age := 0.0
		if b.Pending > 0 {
			age = max(c.now().Sub(b.Oldest).Seconds(), 0)
		}
		ch <- prometheus.MustNewConstMetric(c.count, prometheus.GaugeValue, float64(b.Pending), string(page))
		ch <- prometheus.MustNewConstMetric(c.ages, prometheus.GaugeValue, age, string(page))
	}
}
