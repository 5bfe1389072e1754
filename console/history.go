package console

import (
	"context"
	"slices"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// history judges by the rules that were in force.
type history struct {
	directory *identity.Directory
	versions  []store.RuleVersion

	// The rules of the moment that was asked for last.
	inForce []store.RuleVersion
	rules   *notify.Rules
}

// history returns the rules of the time in which crossings were recorded.
func (c *rules) history(ctx context.Context, crossings []store.Crossing) (*history, error) {
	from, to := crossings[0].Recorded, crossings[0].Recorded
	for _, x := range crossings {
		if x.Recorded.Before(from) {
			from = x.Recorded
		}
		if x.Recorded.After(to) {
			to = x.Recorded
		}
	}
	versions, err := c.o.Store.RulesDuring(ctx, tenantOf(ctx), from, to)
	return &history{directory: c.o.Directory, versions: versions}, err
}

// judge says what the rules of a moment say of an event.
func (h *history) judge(e notify.Event, at time.Time) []judged {
	h.turnTo(at)
	return each(h.rules.Judge(e), func(j notify.Judgement) judged {
		i := slices.IndexFunc(h.inForce, func(v store.RuleVersion) bool { return v.ID == j.Rule })
		if i < 0 {
			return judged{Judgement: j} // the usual rule
		}
		v := &h.inForce[i]
		return judged{j, v.Revision, moment(v.Updated), moment(v.Ended)}
	})
}

// turnTo takes the rules of a moment. Those of the moment before are kept where they are the same: reading calendars is work.
func (h *history) turnTo(at time.Time) {
	var now []store.RuleVersion
	for _, v := range h.versions {
		if v.InForce(at) {
			now = append(now, v)
		}
	}
	if h.rules != nil && slices.EqualFunc(now, h.inForce, func(a, b store.RuleVersion) bool { return a.Revision == b.Revision }) {
		return
	}
	book := notify.NewRulebook()
	book.Load(each(now, func(v store.RuleVersion) notify.Rule { return v.Rule }))
	h.inForce, h.rules = now, notify.NewRules(h.directory, book)
}
