package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

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

	supersedeRule     = `UPDATE rule_versions SET superseded = ? WHERE tenant = ? AND id = ? AND superseded IS NULL`
	insertRuleVersion = `INSERT INTO rule_versions (revision, tenant, id, rule) VALUES (?, ?, ?, ?)`
	rulesAt           = `SELECT tenant, id, revision, rule FROM rule_versions
		WHERE revision <= ? AND (superseded IS NULL OR superseded > ?) AND rule IS NOT NULL ORDER BY revision`
	forgetRules        = `DELETE FROM rule_versions WHERE superseded IS NOT NULL AND superseded <= ?`
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
		if r.Revision, err = putRuleVersion(tx, r.Tenant, r.ID, body); err != nil {
			return err
		}
		r.Updated = s.now().UTC()
		return tx.Exec(putRule, r.Tenant, r.ID, r.Revision, body, micros(r.Updated))
	})
	r.Updated = moment(micros(r.Updated))
	return r, err
}

// putRuleVersion adds a version of a rule, a deleted one with a nil body, and returns its revision.
func putRuleVersion(tx Tx, tenant identity.TenantID, id string, body any) (revision uint64, err error) {
	if err := tx.One([]any{&revision}, nextRevision); err != nil {
		return 0, err
	}
	if err := tx.Exec(supersedeRule, revision, tenant, id); err != nil {
		return 0, err
	}
	return revision, tx.Exec(insertRuleVersion, revision, tenant, id, body)
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
		if _, err := putRuleVersion(tx, tenant, id, nil); err != nil {
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
