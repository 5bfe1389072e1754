package notify

import (
	"cmp"
	"slices"
	"sync/atomic"

	"outrider/identity"
)

// Rulebook holds the rules of every tenant in memory. Readers never wait and never see half of a change. It is safe
// for many goroutines.
type Rulebook struct {
	view atomic.Pointer[ruleView]
}

// ruleView is what a rulebook holds at one moment.
type ruleView struct {
	rules      map[identity.TenantID][]Rule
	timetables map[*Schedule]timetable
}

// NewRulebook returns a book in which every tenant has the default rule only.
func NewRulebook() *Rulebook {
	b := &Rulebook{}
	b.Load(nil)
	return b
}

// Load replaces all rules. Slices inside them are shared: callers must not change them.
func (b *Rulebook) Load(rules []Rule) {
	byTenant := map[identity.TenantID][]Rule{}
	for _, r := range rules {
		byTenant[r.Tenant] = append(byTenant[r.Tenant], r)
	}
	for tenant, list := range byTenant {
		if !slices.ContainsFunc(list, func(r Rule) bool { return r.ID == DefaultRule }) {
			list = append(list, usual(tenant))
		}
		slices.SortFunc(list, func(a, b Rule) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID))
		})
		byTenant[tenant] = list
	}
	b.view.Store(&ruleView{byTenant, b.read(rules)})
}

// read reads the calendars of rules; those that were there before are kept, with what was found in them.
func (b *Rulebook) read(rules []Rule) map[*Schedule]timetable {
	type key struct{ zone, events, holidays string }
	known, all := map[key]timetable{}, map[*Schedule]timetable{}
	keyOf := func(s *Schedule) key { return key{s.TimeZone, s.Calendar, s.Holidays} }
	if old := b.view.Load(); old != nil {
		for s, c := range old.timetables {
			known[keyOf(s)] = c
		}
	}
	for i := range rules {
		s := rules[i].Schedule
		if s == nil || s.Calendar == "" && s.Holidays == "" {
			continue
		}
		c, ok := known[keyOf(s)]
		if !ok {
			c = s.timetable()
			known[keyOf(s)] = c
		}
		all[s] = c
	}
	return all
}

// timetable returns what was read of a schedule in the book.
func (b *Rulebook) timetable(s *Schedule) timetable {
	if s == nil || s.Calendar == "" && s.Holidays == "" {
		return timetable{}
	}
	if c, ok := b.view.Load().timetables[s]; ok {
		return c
	}
	return s.timetable() // replaced meanwhile
}

// rank puts rules of high priority first, and among equals those with a reading of their own: they know better.
func rank(r Rule) int {
	n := 0
	if r.Priority != PriorityHigh {
		n += 2
	}
	if r.Reading == (Reading{}) {
		n++
	}
	return n
}

// Rules lists a tenant's rules, those of high priority first, then those with a reading of their own, else by id. The list is shared: callers must not change it.
func (b *Rulebook) Rules(tenant identity.TenantID) []Rule {
	if list, ok := b.view.Load().rules[tenant]; ok {
		return list
	}
	return []Rule{usual(tenant)}
}

// Rule returns a tenant's rule by its id.
func (b *Rulebook) Rule(tenant identity.TenantID, id string) (Rule, bool) {
	list := b.Rules(tenant)
	i := slices.IndexFunc(list, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return list[i], true
}
