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
	view atomic.Pointer[map[identity.TenantID][]Rule]
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
	b.view.Store(&byTenant)
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
	if list, ok := (*b.view.Load())[tenant]; ok {
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
