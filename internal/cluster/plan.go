package cluster

import (
	"slices"

	"outrider/store"
)

// fair is how many of so many parts are a process's share, and where among the free ones it begins to look, so that not all
// want the same.
func fair(parts int, processes []store.Process, id store.ProcessID) (share, from int) {
	i := slices.IndexFunc(processes, func(p store.Process) bool { return p.ID == id })
	if i < 0 {
		return 0, 0
	}
	n := len(processes)
	share = parts / n
	if i < parts%n {
		share++
	}
	return share, i * parts / n
}

// plan is what a process changes to have its share.
type plan struct {
	share int   // how many parts it should work on
	drop  []int // it works on them, and they are another's
	give  []int // they are its own, and too many
	take  []int // free, or its own and not worked on; of which it takes as many as it lacks
}

// newPlan compares the parts that a process works on with the roster. held says since which roster it works on a part: what
// older ones say of it is no news.
func newPlan(r store.Roster, number uint64, parts int, id store.ProcessID, held map[int]uint64) plan {
	var p plan
	var keep, idle, free []int
	for part := range parts {
		owner, owned := r.Owners[part]
		since, works := held[part]
		switch {
		case works && owner != id && number > since:
			p.drop = append(p.drop, part)
		case works:
			keep = append(keep, part)
		case owner == id:
			idle = append(idle, part)
		case !owned:
			free = append(free, part)
		}
	}
	var from int
	p.share, from = fair(parts, r.Processes, id)
	if len(keep) > p.share {
		p.give = append(p.give, keep[p.share:]...)
	}
	lacks := max(0, p.share-len(keep))
	mine := min(lacks, len(idle))
	p.give = append(p.give, idle[mine:]...)
	begin, _ := slices.BinarySearch(free, from)
	p.take = slices.Concat(idle[:mine], free[begin:], free[:begin])
	return p
}
