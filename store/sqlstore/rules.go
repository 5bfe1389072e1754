package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

const (
	ruleRevision = `SELECT revision FROM rules WHERE tenant = ? AND id = ?`
	putRule      = `INSERT INTO rules (tenant, id, revision, rule, updated) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, id) DO UPDATE SET revision = excluded.revision, rule = excluded.rule, updated = excluded.updated`
	dropRule = `DELETE FROM rules WHERE tenant = ? AND id = ?`
	allRules = `SELECT tenant, id, revision, rule, updated FROM rules ORDER BY tenant, id`

	supersedeRule     = `UPDATE rule_versions SET superseded = ?, ended = ? WHERE tenant = ? AND id = ? AND superseded IS NULL`
	insertRuleVersion = `INSERT INTO rule_versions (revision, tenant, id, rule, made) VALUES (?, ?, ?, ?, ?)`
	rulesAt           = `SELECT tenant, id, revision, rule FROM rule_versions
		WHERE revision <= ? AND (superseded IS NULL OR superseded > ?) AND rule IS NOT NULL ORDER BY revision`
	rulesDuring = `SELECT tenant, id, revision, rule, made, ended FROM rule_versions
		WHERE tenant = ? AND made <= ? AND (ended IS NULL OR ended > ?) AND rule IS NOT NULL`
	// What ended before the oldest crossing of the record explains none.
	forgetRules = `DELETE FROM rule_versions WHERE superseded IS NOT NULL AND superseded <= ?
		AND (ended IS NULL OR ended < COALESCE((SELECT recorded FROM crossings ORDER BY seq LIMIT 1), ended + 1))`
	forgetDeletedRules = `DELETE FROM rule_versions WHERE superseded IS NULL AND rule IS NULL AND revision <= ?`
)

// PutRule implements store.Rules.
func (s *Store) PutRule(ctx context.Context, r notify.Rule, expect uint64) (notify.Rule, error) {
	body := text(r)
	err := s.put(ctx, "rule", r.ID, func(tx Tx) error {
		current, err := currentRule(tx, r.Tenant, r.ID)
		if err != nil {
			return err
		}
		if !expected(current, expect) {
			return store.ErrConflict
		}
		r.Updated = s.now().UTC()
		if r.Revision, err = putRuleVersion(tx, r.Tenant, r.ID, body, r.Updated); err != nil {
			return err
		}
		return tx.Exec(putRule, r.Tenant, r.ID, r.Revision, body, micros(r.Updated))
	})
	r.Updated = moment(micros(r.Updated))
	return r, err
}

// putRuleVersion adds a version of a rule, a deleted one with a nil body, and returns its revision.
func putRuleVersion(tx Tx, tenant identity.TenantID, id string, body any, now time.Time) (revision uint64, err error) {
	if err := tx.One([]any{&revision}, nextRevision); err != nil {
		return 0, err
	}
	if err := tx.Exec(supersedeRule, revision, micros(now), tenant, id); err != nil {
		return 0, err
	}
	return revision, tx.Exec(insertRuleVersion, revision, tenant, id, body, micros(now))
}

// currentRule returns the revision of a rule, 0 if there is none.
func currentRule(tx Tx, tenant identity.TenantID, id string) (uint64, error) {
	var revision uint64
	err := tx.One([]any{&revision}, ruleRevision, tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return revision, err
}

// expected reports whether the current revision, 0 for none, is the expected one.
func expected(current, expect uint64) bool {
	switch expect {
	case 0:
		return true
	case store.ExpectAbsent:
		return current == 0
	}
	return current == expect
}

// DeleteRule implements store.Rules.
func (s *Store) DeleteRule(ctx context.Context, tenant identity.TenantID, id string, expect uint64) error {
	err := s.write(ctx, func(tx Tx) error {
		current, err := currentRule(tx, tenant, id)
		switch {
		case err != nil:
			return err
		case current == 0:
			return store.ErrNotFound
		case !expected(current, expect):
			return store.ErrConflict
		}
		if _, err := putRuleVersion(tx, tenant, id, nil, s.now()); err != nil {
			return err
		}
		return tx.Exec(dropRule, tenant, id)
	})
	if err != nil {
		return fmt.Errorf("store: delete rule %q: %w", id, err)
	}
	return nil
}

// Rules implements store.Rules.
func (s *Store) Rules(ctx context.Context) ([]notify.Rule, error) {
	rows, err := s.db.Query(ctx, allRules)
	return named(collect(rows, err, func(row Row) (notify.Rule, error) {
		var (
			r       notify.Rule
			body    string
			updated int64
		)
		if err := row.Scan(&r.Tenant, &r.ID, &r.Revision, &body, &updated); err != nil {
			return r, err
		}
		r.Updated = moment(updated)
		return r, json.Unmarshal([]byte(body), &r)
	}))("rules")
}

// RulesAt implements store.Rules.
func (s *Store) RulesAt(ctx context.Context, revision uint64) ([]notify.Rule, error) {
	rows, err := s.db.Query(ctx, rulesAt, revision, revision)
	return named(collect(rows, err, func(row Row) (notify.Rule, error) {
		var (
			r    notify.Rule
			body string
		)
		if err := row.Scan(&r.Tenant, &r.ID, &r.Revision, &body); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(body), &r)
	}))("rules at a revision")
}

// RulesDuring implements store.Rules.
func (s *Store) RulesDuring(ctx context.Context, tenant identity.TenantID, from, to time.Time) ([]store.RuleVersion, error) {
	rows, err := s.db.Query(ctx, rulesDuring, tenant, micros(to), micros(from))
	all, err := collect(rows, err, func(row Row) (store.RuleVersion, error) {
		var (
			v     store.RuleVersion
			body  string
			made  int64
			ended sql.NullInt64
		)
		if err := row.Scan(&v.Tenant, &v.ID, &v.Revision, &body, &made, &ended); err != nil {
			return v, err
		}
		v.Updated, v.Ended = moment(made), moment(ended.Int64)
		return v, json.Unmarshal([]byte(body), &v.Rule)
	})
	slices.SortFunc(all, func(a, b store.RuleVersion) int { return cmp.Compare(a.Revision, b.Revision) })
	return named(all, err)("rules during a time")
}
