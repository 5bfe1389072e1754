package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"outrider/identity"
	"outrider/store"
)

const (
	putAccount = `INSERT INTO accounts (asid, token, alive, expires, pages, login_id, updated) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (asid) DO UPDATE SET token = excluded.token, alive = excluded.alive, expires = excluded.expires, pages = excluded.pages,
		login_id = excluded.login_id, updated = excluded.updated`
	allAccounts = `SELECT asid, token, expires, pages, login_id, updated FROM accounts ORDER BY asid`
	emptyToken  = `UPDATE accounts SET token = ?, alive = 0, expires = 0, updated = ? WHERE asid = ? AND alive`
	dropAccount = `DELETE FROM accounts WHERE asid = ?`

	putOptIn = `INSERT INTO opt_ins (page, login_id, at) VALUES (?, ?, ?)
		ON CONFLICT (login_id, page) DO UPDATE SET at = excluded.at WHERE excluded.at > opt_ins.at`
	optIns      = `SELECT page, login_id, at FROM opt_ins WHERE login_id = ? AND at > ?`
	dropOptIns  = `DELETE FROM opt_ins WHERE login_id IN (?, (SELECT login_id FROM accounts WHERE asid = ?))`
	dropOldOpts = `DELETE FROM opt_ins WHERE at <= ?`
)

// PutAccount implements store.Accounts.
func (s *Store) PutAccount(ctx context.Context, a identity.Account) error {
	token, err := s.sealer.Seal(a.Token.Reveal(), accountPlace(a.ASID))
	if err != nil {
		return fmt.Errorf("store: seal account: %w", err)
	}
	pages := text(a.Pages)
	return s.put(ctx, "account", "", func(tx Tx) error {
		if err := tx.Exec(dropOldOpts, micros(s.now().Add(-store.OptInsKept))); err != nil {
			return err
		}
		return tx.Exec(putAccount, a.ASID, token, !a.Token.Empty(), micros(a.Expires), pages, a.LoginID, micros(s.now()))
	})
}

func accountPlace(id identity.ASID) string { return "account/" + string(id) }

// Accounts implements store.Accounts.
func (s *Store) Accounts(ctx context.Context) ([]identity.Account, error) {
	rows, err := s.db.Query(ctx, allAccounts)
	return named(collect(rows, err, s.scanAccount))("accounts")
}

func (s *Store) scanAccount(row Row) (identity.Account, error) {
	var (
		a                identity.Account
		token, pages     string
		expires, updated int64
	)
	if err := row.Scan(&a.ASID, &token, &expires, &pages, &a.LoginID, &updated); err != nil {
		return a, err
	}
	a.Expires, a.Updated = moment(expires), moment(updated)
	plain, err := s.sealer.Open(token, accountPlace(a.ASID))
	if err != nil {
		return a, fmt.Errorf("open account: %w", err)
	}
	a.Token = identity.NewToken(plain)
	return a, json.Unmarshal([]byte(pages), &a.Pages)
}

// ForgetToken implements store.Accounts.
func (s *Store) ForgetToken(ctx context.Context, asid identity.ASID) (bool, error) {
	empty, err := s.sealer.Seal("", accountPlace(asid))
	if err != nil {
		return false, fmt.Errorf("store: seal account: %w", err)
	}
	n, err := s.changed(ctx, "forget token", emptyToken, empty, micros(s.now()), asid)
	return n > 0, err
}

// OptIns implements store.Accounts.
func (s *Store) OptIns(ctx context.Context, login identity.LoginID) ([]identity.OptIn, error) {
	rows, err := s.db.Query(ctx, optIns, login, micros(s.now().Add(-store.OptInsKept)))
	all, err := collect(rows, err, func(row Row) (identity.OptIn, error) {
		var (
			o  identity.OptIn
			at int64
		)
		err := row.Scan(&o.Page, &o.Login, &at)
		o.At = moment(at)
		return o, err
	})
	slices.SortFunc(all, func(a, b identity.OptIn) int { return b.At.Compare(a.At) })
	return named(all, err)("opt-ins")
}
