package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"outrider/identity"
	"outrider/store"
)

const (
	putAccount = `INSERT INTO accounts (asid, token, alive, expires, pages, login_id, updated) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET token = excluded.token, alive = excluded.alive, expires = excluded.expires, pages = excluded.pages,
		login_id = excluded.login_id, updated = excluded.updated`
	allAccounts = `SELECT asid, token, expires, pages, login_id, updated FROM accounts ORDER BY asid`
	emptyToken  = `UPDATE accounts SET token = ?, alive = 0, expires = 0, updated = ? WHERE asid = ? AND alive`
	dropAccount = `DELETE FROM accounts WHERE asid = ?`

	linksOfAccount = `SELECT tenant, owner, page, psid, asid, via, at FROM links WHERE asid = ? AND asid <> ''`
	dropLinksOf    = `DELETE FROM links WHERE page = ? AND psid = ?`
	dropCodesOf    = `DELETE FROM link_codes WHERE asid = ? AND asid <> ''`
	dropCodesBy    = `DELETE FROM link_codes WHERE page = ? AND psid = ?`
	ownersOfPerson = `SELECT tenant, id, contacts FROM owners WHERE contacts LIKE ? ESCAPE '\'`
	dropWindow     = `DELETE FROM windows WHERE page = ? AND psid = ?`
	dropSaid       = `DELETE FROM said WHERE page = ? AND psid = ?`
	// Traces hold the person's id and what was said to them.
	// What was tried names the person, too. One query for each state, since each has an index of its own.
	unaddress = `UPDATE deliveries SET page = '', psid = '', state = 'held', away = 0, leader = '', trace = '', route = 'hold',
		reason = 'no_contact', detail = 'the owner is linked to no page',
		next_at = CASE WHEN COALESCE(json_extract(alert, '$.max_age'), 0) > 0
		THEN event_at + json_extract(alert, '$.max_age') / 1000 ELSE 0 END WHERE page = ? AND psid = ? AND state = `
	unaddressPending = unaddress + `'pending'`
	unaddressHeld    = unaddress + `'held'`
	unaddressDone    = `UPDATE deliveries SET trace = '', alert = json_remove(alert, '$.say'), psid = '', message_id = '' WHERE page = ? AND psid = ?`

	dropCodesFor = `DELETE FROM link_codes WHERE tenant = ? AND owner = ?`
	ofOwner      = ` AND tenant = ? AND json_extract(alert, '$.owner') = ?`

	putOptIn = `INSERT INTO opt_ins (page, login_id, at) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET at = MAX(at, excluded.at)`
	optIns      = `SELECT page, login_id, at FROM opt_ins WHERE login_id = ? AND at > ?`
	dropOptIns  = `DELETE FROM opt_ins WHERE login_id IN (?, (SELECT login_id FROM accounts WHERE asid = ?))`
	dropOldOpts = `DELETE FROM opt_ins WHERE at <= ?`

	putErasure = `INSERT INTO erasures (hash, requested, done, contacts, deliveries, known) VALUES (?, ?, ?, ?, ?, ?)`
	getErasure = `SELECT hash, requested, done, contacts, deliveries, known FROM erasures WHERE hash = ?`

	putHealth = `INSERT INTO page_health (page, health) VALUES (?, ?) ON CONFLICT DO UPDATE SET health = excluded.health`
	getHealth = `SELECT health FROM page_health WHERE page = ?`
)

// PutAccount implements store.Accounts.
func (s *Store) PutAccount(ctx context.Context, a identity.Account) error {
	token, err := s.sealer.Seal(a.Token.Reveal(), accountPlace(a.ASID))
	if err != nil {
		return fmt.Errorf("sqlite: seal account: %w", err)
	}
	pages := text(a.Pages)
	return s.put(ctx, "account", "", func(tx *tx) error {
		if err := tx.exec(dropOldOpts, micros(s.now().Add(-store.OptInsKept))); err != nil {
			return err
		}
		return tx.exec(putAccount, a.ASID, token, !a.Token.Empty(), micros(a.Expires), pages, a.LoginID, micros(s.now()))
	})
}

func accountPlace(id identity.ASID) string { return "account/" + string(id) }

// Accounts implements store.Accounts.
func (s *Store) Accounts(ctx context.Context) ([]identity.Account, error) {
	rows, err := s.read.QueryContext(ctx, allAccounts)
	return named(collect(rows, err, s.scanAccount))("accounts")
}

func (s *Store) scanAccount(row scanner) (identity.Account, error) {
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
		return false, fmt.Errorf("sqlite: seal account: %w", err)
	}
	n, err := s.changed(ctx, "forget token", emptyToken, empty, micros(s.now()), asid)
	return n > 0, err
}

// OptIns implements store.Accounts.
func (s *Store) OptIns(ctx context.Context, login identity.LoginID) ([]identity.OptIn, error) {
	rows, err := s.read.QueryContext(ctx, optIns, login, micros(s.now().Add(-store.OptInsKept)))
	all, err := collect(rows, err, func(row scanner) (identity.OptIn, error) {
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

// Erase implements store.Accounts.
func (s *Store) Erase(ctx context.Context, asid identity.ASID, e identity.Erasure) (identity.Erasure, error) {
	done := e
	err := s.write(ctx, func(tx *tx) error {
		done = e
		people, err := peopleOf(tx, asid)
		if err != nil {
			return err
		}
		for _, p := range people {
			if err := s.erasePerson(tx, p, &done); err != nil {
				return err
			}
		}
		if err := tx.exec(dropOptIns, asid, asid); err != nil {
			return err
		}
		n, err := tx.change(dropAccount, asid)
		if err != nil {
			return err
		}
		if err := tx.exec(dropCodesOf, asid); err != nil {
			return err
		}
		done.Known, done.Done = n > 0 || len(people) > 0, s.now()
		return tx.exec(putErasure, done.Hash, micros(done.Requested), micros(done.Done), done.Contacts, done.Deliveries, done.Known)
	})
	done.Done = moment(micros(done.Done))
	return named(done, err)("erasure")
}

// Unlink implements store.Links.
func (s *Store) Unlink(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID) (identity.Erasure, error) {
	done := identity.Erasure{Known: true}
	err := s.write(ctx, func(tx *tx) error {
		done.Contacts, done.Deliveries = 0, 0
		people, err := peopleBehind(tx, tenant, owner)
		if err != nil {
			return err
		}
		for _, c := range people {
			if err := s.unlinkPerson(tx, tenant, owner, c, &done); err != nil {
				return err
			}
		}
		return tx.exec(dropCodesFor, tenant, owner)
	})
	return named(done, err)("links of owner")
}

// peopleBehind lists as whom an owner is or was reached, each once.
func peopleBehind(tx *tx, tenant identity.TenantID, owner identity.OwnerID) ([]identity.Contact, error) {
	people, err := contactsOf(tx, tenant, owner)
	if err != nil {
		return nil, err
	}
	rows, err := tx.rows(ownerLinks, tenant, owner)
	links, err := collect(rows, err, scanLink)
	for _, l := range links {
		if c := (identity.Contact{Page: l.Page, PSID: l.PSID}); !slices.Contains(people, c) {
			people = append(people, c)
		}
	}
	return people, err
}

// unlinkPerson takes a person from an owner. Of one who is another owner's contact, too, the rest stays.
func (s *Store) unlinkPerson(tx *tx, tenant identity.TenantID, owner identity.OwnerID, c identity.Contact, done *identity.Erasure) error {
	owners, err := ownersOf(tx, c)
	if err != nil {
		return err
	}
	mine := func(o ownerRow) bool { return o.tenant == tenant && o.id == owner }
	if !slices.ContainsFunc(owners, func(o ownerRow) bool { return !mine(o) }) {
		return s.erasePerson(tx, c, done)
	}
	for _, query := range []string{unaddressPending + ofOwner, unaddressHeld + ofOwner, unaddressDone + ofOwner} {
		n, err := tx.change(query, c.Page, c.PSID, tenant, owner)
		if err != nil {
			return err
		}
		done.Deliveries += n
	}
	if err := tx.exec(dropLink, tenant, owner, c.Page, c.PSID); err != nil {
		return err
	}
	return s.dropContact(tx, slices.DeleteFunc(owners, func(o ownerRow) bool { return !mine(o) }), c, done)
}

// peopleOf lists as whom the account was linked, each once.
func peopleOf(tx *tx, asid identity.ASID) ([]identity.Contact, error) {
	rows, err := tx.rows(linksOfAccount, asid)
	links, err := collect(rows, err, scanLink)
	var people []identity.Contact
	for _, l := range links {
		if c := (identity.Contact{Page: l.Page, PSID: l.PSID}); !slices.Contains(people, c) {
			people = append(people, c)
		}
	}
	return people, err
}

// erasePerson deletes what is kept of one person of one page.
//
// Deliveries are cut from the person before the owners are, whatever their state: one that is being sent right now
// cannot be called back, and its outcome goes to the row that no longer says to whom.
func (s *Store) erasePerson(tx *tx, c identity.Contact, done *identity.Erasure) error {
	for _, query := range []string{unaddressPending, unaddressHeld, unaddressDone} {
		n, err := tx.change(query, c.Page, c.PSID)
		if err != nil {
			return err
		}
		done.Deliveries += n
	}
	for _, query := range []string{dropLinksOf, dropCodesBy, dropWindow, dropSaid} {
		if err := tx.exec(query, c.Page, c.PSID); err != nil {
			return err
		}
	}
	return s.eraseContacts(tx, c, done)
}

// ownerRow is an owner with its contacts.
type ownerRow struct {
	tenant   identity.TenantID
	id       identity.OwnerID
	contacts []identity.Contact
}

// eraseContacts takes the person from every owner's contacts. What an owner waits for then goes to the next contact.
func (s *Store) eraseContacts(tx *tx, c identity.Contact, done *identity.Erasure) error {
	owners, err := ownersOf(tx, c)
	if err != nil {
		return err
	}
	return s.dropContact(tx, owners, c, done)
}

// dropContact takes a contact from owners.
func (s *Store) dropContact(tx *tx, owners []ownerRow, c identity.Contact, done *identity.Erasure) error {
	for _, o := range owners {
		o.contacts = slices.DeleteFunc(o.contacts, func(other identity.Contact) bool { return other == c })
		if err := tx.exec(setContacts, text(o.contacts), micros(s.now()), o.tenant, o.id); err != nil {
			return err
		}
		done.Contacts++
		if len(o.contacts) > 0 {
			if err := s.address(tx, o.tenant, o.id, o.contacts[0], false); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownersOf lists the owners who have the contact. The pattern only narrows the search: ids of Facebook are digits,
// but what was stored may be anything.
func ownersOf(tx *tx, c identity.Contact) ([]ownerRow, error) {
	rows, err := tx.rows(ownersOfPerson, "%"+escapeLike(string(c.PSID))+"%")
	all, err := collect(rows, err, func(row scanner) (ownerRow, error) {
		var (
			o   ownerRow
			raw string
		)
		if err := row.Scan(&o.tenant, &o.id, &raw); err != nil {
			return o, err
		}
		return o, json.Unmarshal([]byte(raw), &o.contacts)
	})
	return slices.DeleteFunc(all, func(o ownerRow) bool { return !slices.Contains(o.contacts, c) }), err
}

// escapeLike makes a text mean itself in a LIKE pattern, as it stands in JSON.
func escapeLike(s string) string {
	var out []rune
	for _, r := range s {
		if r == '\\' || r == '%' || r == '_' {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

// Erasure implements store.Accounts.
func (s *Store) Erasure(ctx context.Context, hash identity.CodeHash) (identity.Erasure, error) {
	var (
		e               identity.Erasure
		requested, done int64
	)
	err := s.read.QueryRowContext(ctx, getErasure, hash).Scan(&e.Hash, &requested, &done, &e.Contacts, &e.Deliveries, &e.Known)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	e.Requested, e.Done = moment(requested), moment(done)
	return named(e, err)("erasure")
}

// PutPageHealth implements store.PageHealths.
func (s *Store) PutPageHealth(ctx context.Context, h identity.PageHealth) error {
	return s.put(ctx, "health of page", string(h.Page), func(tx *tx) error { return tx.exec(putHealth, h.Page, text(h)) })
}

// PageHealth implements store.PageHealths.
func (s *Store) PageHealth(ctx context.Context, page identity.PageID) (identity.PageHealth, error) {
	h := identity.PageHealth{Page: page}
	var raw string
	err := s.read.QueryRowContext(ctx, getHealth, page).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(raw), &h)
	}
	return named(h, err)("page health")
}
