package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"outrider/store"
)

// etag is the entity tag of a revision.
func etag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// Condition is what a request says of the version it expects. It is exported for binding only.
type Condition struct {
	IfMatch     string `header:"If-Match" doc:"Do it only if the current version has one of these ETags; * for any version."`
	IfNoneMatch string `header:"If-None-Match" doc:"Do it only if the current version has none of these ETags; with *, only if there is no version."`
}

// matches reports whether If-Match holds for the current revision, 0 if there is no version.
func (c Condition) matches(current uint64) bool {
	return c.IfMatch == "" || current != 0 && names(c.IfMatch, current, false)
}

// excludes reports whether If-None-Match rules the current revision out.
func (c Condition) excludes(current uint64) bool {
	return c.IfNoneMatch != "" && current != 0 && names(c.IfNoneMatch, current, true)
}

// given reports whether there is a condition.
func (c Condition) given() bool { return c.IfMatch != "" || c.IfNoneMatch != "" }

// expect checks the conditions against the current revision, 0 if there is no version, and returns the one that the store
// is to expect, so that they hold until the change is stored.
func (c Condition) expect(current uint64) (uint64, error) {
	switch {
	case !c.matches(current) || c.excludes(current):
		return 0, changed(current)
	case !c.given():
		return 0, nil
	case current == 0:
		return store.ExpectAbsent, nil
	}
	return current, nil
}

// names reports whether a list of entity tags names the revision. Weak tags count only where asked for.
func names(list string, revision uint64, weak bool) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimSpace(tag)
		if weak {
			tag = strings.TrimPrefix(tag, "W/")
		}
		if tag == "*" || tag == etag(revision) {
			return true
		}
	}
	return false
}

// changed is the answer to a condition that does not hold.
func changed(current uint64) *huma.ErrorModel {
	if current == 0 {
		return problem(http.StatusPreconditionFailed, "there is no version that could match; read it again")
	}
	return problem(http.StatusPreconditionFailed, "the current version is "+etag(current)+"; read it again, and repeat the change on it")
}
