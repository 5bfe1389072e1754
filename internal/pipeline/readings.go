package pipeline

import (
	"math"
	"slices"
	"time"

	"outrider/geofence"
	"outrider/notify"
	"outrider/telemetry"
)

// reading is the fences of one tenant as rules have them read. It is immutable.
type reading struct {
	notify.Reading
	revision uint64 // the newest of the rules that want it
	rules    []notify.Rule
	index    *geofence.Index
}

// readingsOf makes the readings that rules want of a tenant's fences; those of old that nothing changed for are kept.
// Fences that are one person's are no rule's business.
func readingsOf(ix *geofence.Index, rules []notify.Rule, old []*reading) []*reading {
	var all []*reading
	for _, rule := range rules {
		if rule.Disabled || rule.Reading == (notify.Reading{}) {
			continue
		}
		i := slices.IndexFunc(all, func(r *reading) bool { return r.Reading == rule.Reading })
		if i < 0 {
			i, all = len(all), append(all, &reading{Reading: rule.Reading})
		}
		all[i].rules = append(all[i].rules, rule)
		all[i].revision = max(all[i].revision, rule.Revision)
	}
	for i, r := range all {
		if was := find(old, r.Reading); was != nil && r.sameRules(was) {
			all[i] = was
			continue
		}
		var fences []geofence.Fence
		for f := range ix.All() {
			if r.wants(&f) {
				fences = append(fences, r.read(f))
			}
		}
		r.index = geofence.NewIndex(fences)
	}
	return all
}

func find(all []*reading, key notify.Reading) *reading {
	if i := slices.IndexFunc(all, func(r *reading) bool { return r.Reading == key }); i >= 0 {
		return all[i]
	}
	return nil
}

// sameRules reports whether the same versions of the same rules want r and other.
func (r *reading) sameRules(other *reading) bool {
	return slices.EqualFunc(r.rules, other.rules, func(a, b notify.Rule) bool { return a.Revision == b.Revision })
}

// edited returns the reading after an edit of fences.
func (r *reading) edited(e *edit) *reading {
	var put []geofence.Fence
	var remove []geofence.FenceID
	for _, f := range e.put {
		if r.wants(&f) {
			put = append(put, r.read(f))
		} else {
			remove = append(remove, f.ID)
		}
	}
	for id := range e.remove {
		remove = append(remove, id)
	}
	remove = slices.DeleteFunc(remove, func(id geofence.FenceID) bool { _, known := r.index.Lookup(id); return !known })
	if len(put)+len(remove) == 0 {
		return r
	}
	out := *r
	out.index = r.index.With(put, remove)
	return &out
}

func (r *reading) wants(f *geofence.Fence) bool {
	return f.Owner == "" && slices.ContainsFunc(r.rules, func(rule notify.Rule) bool { return rule.Reads(string(f.ID), f.Tags) })
}

// read returns a fence as the reading has it. It counts as edited when its rules are: so a change of rules is to vehicles
// what a change of fences is. A tripwire has no inside, and nothing to be long or too fast in.
func (r *reading) read(f geofence.Fence) geofence.Fence {
	f.Revision = max(f.Revision, r.revision)
	if _, wire := f.Shape.(*geofence.Tripwire); wire {
		return f
	}
	whole := r.Over(usual(&f))
	f.Dwell = duration(whole.Dwell)
	var w geofence.Watch
	if f.Watch != nil {
		w = *f.Watch
	}
	w.Limit, w.LimitFor = whole.Limit/3.6, duration(whole.LimitFor)
	w.Stopped, w.Silent = duration(whole.Stopped), duration(whole.NotHeard)
	f.Watch = &w
	return f
}

// usual says what a fence itself asks for.
func usual(f *geofence.Fence) notify.Reading {
	u := notify.Reading{Dwell: f.Dwell.Seconds()}
	if w := f.Watch; w != nil {
		u.Limit, u.LimitFor = math.Round(w.Limit*3.6e6)/1e6, w.LimitFor.Seconds()
		u.Stopped, u.NotHeard = w.Stopped.Seconds(), w.Silent.Seconds()
	}
	return u
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds*1000+0.5) * time.Millisecond
}

// options are those of a tracker for the reading.
func (r *reading) options(preset geofence.Preset) geofence.Options {
	if p, err := geofence.ParsePreset(r.Preset); err == nil && r.Preset != "" {
		preset = p
	}
	return geofence.Options{Preset: preset}
}

// rulesByTenant sorts rules by tenant, in the order of their ids.
func rulesByTenant(rules []notify.Rule) map[telemetry.TenantID][]notify.Rule {
	byTenant := map[telemetry.TenantID][]notify.Rule{}
	for _, r := range rules {
		tenant := telemetry.TenantID(r.Tenant)
		byTenant[tenant] = append(byTenant[tenant], r)
	}
	return byTenant
}
