package messenger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"

	"outrider/identity"
	"outrider/internal/graph"
	"outrider/notify"
)

// ward is one page in a keeper's care.
type ward struct {
	k       *TemplateKeeper
	page    identity.PageID
	asked   chan struct{}        // sent by Ensure, capacity 1, never closed
	running bool                 // guarded by the keeper's mu; once true it stays so
	kinds   map[notify.Kind]bool // guarded by the keeper's mu: what is needed besides enter and exit
	locales map[string]bool      // guarded by the keeper's mu: what was asked for besides the owners' own
}

// leastPause lies between two looks at a page, however often somebody asks.
const leastPause = 5 * time.Second

// run looks at the page whenever it is asked, and by itself: soon while something is open, daily otherwise.
func (w *ward) run() {
	<-w.asked
	for wait := w.k.o.FirstPoll; ; {
		settled := w.look()
		pause := wait
		if settled {
			wait, pause = w.k.o.FirstPoll, w.k.o.Recheck
		} else {
			wait = min(2*wait, w.k.o.LastPoll)
		}
		switch w.wait(pause) {
		case waitEnded:
			return
		case waitAsked:
			wait = w.k.o.FirstPoll
		}
	}
}

type waited int

const (
	waitOver waited = iota
	waitAsked
	waitEnded
)

// wait pauses, or less when somebody asks, or the keeper stops.
func (w *ward) wait(d time.Duration) waited {
	least := time.NewTimer(min(d, leastPause))
	defer least.Stop()
	select {
	case <-least.C:
	case <-w.k.ctx.Done():
		return waitEnded
	}
	rest := time.NewTimer(max(0, d-leastPause) + time.Duration(rand.Int64N(int64(d/10)+1)))
	defer rest.Stop()
	select {
	case <-rest.C:
		return waitOver
	case <-w.asked:
		return waitAsked
	case <-w.k.ctx.Done():
		return waitEnded
	}
}

// look checks each template that the page needs, and reports whether all of them are decided. A page without
// token, or that is not registered, has nothing to look at before it changes; nor has one that another process looks after.
func (w *ward) look() (settled bool) {
	page, ok := w.k.o.Directory.Page(w.page)
	if !ok || page.AccessToken.Empty() || !w.k.o.Mine(w.page) {
		return true
	}
	list, err := w.needs(page)
	if err != nil {
		w.failed("", "", err)
		return false
	}
	settled = true
	found := map[string][]notify.Template{} // one call for all languages of a name
	for _, n := range list {
		status, err := w.check(page, n, found)
		if w.k.ctx.Err() != nil {
			return false
		}
		if err != nil {
			w.failed(n.Name, n.Language, err)
			settled = false
			continue
		}
		w.k.metrics.count(status)
		settled = settled && decided(status)
	}
	return settled
}

func (w *ward) failed(name, language string, err error) {
	if w.k.ctx.Err() != nil {
		return
	}
	w.k.metrics.checks.WithLabelValues(checkFailed).Inc()
	w.k.o.Logger.Warn("template not checked", "page", w.page, "template", name, "language", language, "cause", err)
}

// decided reports whether Meta has had its word.
func decided(s notify.TemplateStatus) bool {
	return s == notify.TemplateApproved || s == notify.TemplateRejected
}

// need is a template that a page needs.
type need struct {
	notify.OwnTemplate
	foreign bool // the page's own: looked at in every language, never created
}

// needs lists what a page needs: for each kind the page's own template, else the gateway's in English and in every
// language of the page's people. Kinds that were needed before are known by their templates.
func (w *ward) needs(page identity.Page) ([]need, error) {
	known, err := w.k.o.Templates.Templates(w.k.ctx, page.ID)
	if err != nil {
		return nil, fmt.Errorf("messenger: read templates: %w", err)
	}
	kinds, locales := w.wanted(known)
	own := w.k.o.Directory.Texts(page.Tenant)
	var list []need
	for _, kind := range kinds {
		if name := page.Templates[string(kind)]; name != "" {
			list = append(list, need{OwnTemplate: notify.OwnTemplate{Name: name}, foreign: true})
			continue
		}
		made := map[string]bool{}
		for _, locale := range locales {
			if t := notify.OwnTemplateFor(kind, locale, own); !made[t.Language] {
				made[t.Language] = true
				list = append(list, need{OwnTemplate: t})
			}
		}
	}
	return list, nil
}

// wanted lists kinds and locales, English first.
func (w *ward) wanted(known []notify.Template) (kinds []notify.Kind, locales []string) {
	w.k.mu.Lock()
	defer w.k.mu.Unlock()
	for _, t := range known {
		if kind, ours := notify.OwnKind(t.Name); ours {
			w.kinds[kind] = true
		}
	}
	for _, kind := range notify.Kinds() {
		if kind == notify.Enter || kind == notify.Exit || w.kinds[kind] {
			kinds = append(kinds, kind)
		}
	}
	locales = append([]string{"en"}, w.k.o.Directory.Locales(w.page)...)
	return kinds, append(locales, slices.Sorted(maps.Keys(w.locales))...)
}

// check finds out how one template stands, creating it where it may, and records it.
func (w *ward) check(page identity.Page, n need, known map[string][]notify.Template) (notify.TemplateStatus, error) {
	found, asked := known[n.Name]
	if !asked {
		var err error
		if found, err = w.find(page, n.Name); err != nil {
			return "", err
		}
		known[n.Name] = found
	}
	if n.foreign {
		return w.recordAll(n, found)
	}
	for _, t := range found {
		if t.Language == n.Language {
			return t.Status, w.record(t)
		}
	}
	created, err := w.create(page, n.OwnTemplate)
	if err != nil {
		return "", err
	}
	return created.Status, w.record(created)
}

// recordAll records a foreign template in all its languages; it is decided when each of them is. One that does
// not exist is decided, too: only the page's owner can make it, and the daily look will find it.
func (w *ward) recordAll(n need, found []notify.Template) (notify.TemplateStatus, error) {
	status := notify.TemplateApproved
	for _, t := range found {
		if err := w.record(t); err != nil {
			return "", err
		}
		if !decided(t.Status) {
			status = t.Status
		}
	}
	if len(found) == 0 {
		w.k.o.Logger.Warn("the page's own template does not exist", "page", w.page, "template", n.Name)
		status = notify.TemplateRejected
	}
	return status, nil
}

// record stores a template's status, and frees what waited for it when it is approved. The release is made
// at every look, so that one which a crash prevented is made by the next process.
func (w *ward) record(t notify.Template) error {
	if err := w.k.o.Templates.PutTemplate(w.k.ctx, t); err != nil {
		return fmt.Errorf("messenger: record template: %w", err)
	}
	if t.Status != notify.TemplateApproved {
		return nil
	}
	n, err := w.k.o.Outbox.Release(w.k.ctx, w.page, notify.ReasonTemplateMissing, notify.ReasonTemplatePending,
		notify.ReasonTemplateRejected, notify.ReasonTemplateShape)
	if err != nil {
		return fmt.Errorf("messenger: release deliveries: %w", err)
	}
	if n > 0 {
		w.k.o.Logger.Info("template approved", "page", w.page, "template", t.Name, "language", t.Language, "released", n)
		w.k.o.Wake(w.page)
	}
	return nil
}

// find asks for the page's templates of a name, in all languages.
func (w *ward) find(page identity.Page, name string) ([]notify.Template, error) {
	var answer struct {
		Data []struct {
			ID       flexString `json:"id"`
			Name     string     `json:"name"`
			Language string     `json:"language"`
			Status   string     `json:"status"`
			Rejected string     `json:"rejected_reason"`
			Parts    []seenPart `json:"components"`
		} `json:"data"`
	}
	err := w.call(graph.Call{Method: "GET", Node: string(page.ID), Edge: "message_templates",
		Query: url.Values{"name": {name}, "limit": {"100"}}, Token: page.AccessToken}, &answer)
	if err != nil {
		return nil, err
	}
	var list []notify.Template
	for _, d := range answer.Data {
		if d.Name == name { // Graph may answer with names that merely contain it
			t := notify.Template{Page: page.ID, Name: name, Language: d.Language, ID: string(d.ID),
				Status: notify.TemplateStatus(d.Status), Detail: reasonText(d.Rejected), Checked: w.k.o.Now()}
			list = append(list, shaped(t, d.Parts))
		}
	}
	return list, nil
}

// reasonText is Meta's reason of a rejection; it writes NONE where there is none.
func reasonText(s string) string {
	if s == "NONE" {
		return ""
	}
	return s
}

// create makes one of the gateway's templates. A refusal of its shape is as good as a rejection: it is recorded
// with Graph's words, for people to see.
func (w *ward) create(page identity.Page, t notify.OwnTemplate) (notify.Template, error) {
	made := notify.Template{Page: page.ID, Name: t.Name, Language: t.Language, Params: len(t.Example), Buttons: len(t.Buttons)}
	var answer struct {
		ID     flexString `json:"id"`
		Status string     `json:"status"`
	}
	err := w.call(graph.Call{Method: "POST", Node: string(page.ID), Edge: "message_templates",
		Body: creation(t), Token: page.AccessToken}, &answer)
	made.Checked = w.k.o.Now()
	if e, ok := errors.AsType[*graph.Error](err); ok && refusedShape(e) {
		w.k.o.Logger.Error("template refused", "page", page.ID, "template", t.Name, "language", t.Language, "cause", e)
		made.Status, made.Detail = notify.TemplateRejected, words(e)
		return made, nil
	}
	if err != nil {
		return made, err
	}
	w.k.o.Logger.Info("template created", "page", page.ID, "template", t.Name, "language", t.Language, "status", answer.Status)
	made.ID, made.Status = string(answer.ID), notify.TemplateStatus(answer.Status)
	return made, nil
}

// existsAlready is Graph's subcode when somebody else was faster; the next look finds the template.
const existsAlready = 2388024

func refusedShape(e *graph.Error) bool {
	return actionFor(notify.RouteWindow, e).reason == notify.ReasonBadRequest && e.Code == 100 && e.Subcode != existsAlready
}

func (w *ward) call(c graph.Call, answer any) error {
	ctx, cancel := context.WithTimeoutCause(w.k.ctx, w.k.o.Timeout, errNoAnswer)
	defer cancel()
	return w.k.o.Graph.Do(ctx, c, answer)
}

// errNoAnswer is the cause of a call that took too long.
var errNoAnswer = errors.New("messenger: no answer in time")
