package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"outrider/identity"
	"outrider/store"
)

const (
	linksOfAccount = `SELECT tenant, owner, page, psid, asid, via, at FROM links WHERE asid = ? AND asid <> ''`
	dropLinksOf    = `DELETE FROM links WHERE page = ? AND psid = ?`
	dropCodesOf    = `DELETE FROM link_codes WHERE asid = ? AND asid <> ''`
	dropCodesBy    = `DELETE FROM link_codes WHERE page = ? AND psid = ?`
	dropCodesFor   = `DELETE FROM link_codes WHERE tenant = ? AND owner = ?`
	ownersOfPerson = `SELECT tenant, id, contacts FROM owners WHERE contacts LIKE ? ESCAPE '\'`
	dropWindow     = `DELETE FROM windows WHERE page = ? AND psid = ?`
	dropSaid       = `DELETE FROM said WHERE page = ? AND psid = ?`

	// An answer that was not sent yet is for that person and nobody else. One query for each state here and below,
	// since each has an index of its own.
	giveUpAnswers = `UPDATE deliveries SET state = 'expired', reason = 'no_contact', detail = 'the person was forgotten', next_at = 0
		WHERE json_extract(alert, '$.say') IS NOT NULL AND page = ? AND psid = ? AND state = `
	giveUpPending = giveUpAnswers + `'pending'`
	giveUpHeld    = giveUpAnswers + `'held'`
	unaddress     = `UPDATE deliveries SET page = '', psid = '', state = 'held', away = 0, leader = '', trace = '', route = 'hold',
		reason = 'no_contact', detail = 'the owner is linked to no page',
		next_at = CASE WHEN COALESCE(json_extract(alert, '$.max_age'), 0) > 0
		THEN event_at + json_extract(alert, '$.max_age') / 1000 ELSE 0 END WHERE page = ? AND psid = ? AND state = `
	unaddressPending = unaddress + `'pending'`
	unaddressHeld    = unaddress + `'held'`
	// Traces hold the person's id, and answers what was said to them.
	unaddressDone = `UPDATE deliveries SET trace = '', alert = json_remove(alert, '$.say'), psid = '', message_id = '' WHERE page = ? AND psid = ?`
	ofOwner       = ` AND tenant = ? AND json_extract(alert, '$.owner') = ?`

	putErasure = `INSERT INTO erasures (hash, requested, done, contacts, deliveries, known) VALUES (?, ?, ?, ?, ?, ?)`
	getErasure = `SELECT hash, requested, done, contacts, deliveries, known FROM erasures WHERE hash = ?`
)

// Erase implements store.Accounts.
func (s *Store) Erase(ctx context.Context, asid identity.ASID, e identity.Erasure) (identity.Erasure, error) {
	done := e
	err := s.write(ctx, func(tx Tx) error {
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
		if err := tx.Exec(dropOptIns, asid, asid); err != nil {
			return err
		}
		n, err := tx.Change(dropAccount, asid)
		if err != nil {
			return err
		}
		if err := tx.Exec(dropCodesOf, asid); err != nil {
			return err
		}
		done.Known, done.Done = n > 0 || len(people) > 0, s.now()
		return tx.Exec(putErasure, done.Hash, micros(done.Requested), micros(done.Done), done.Contacts, done.Deliveries, done.Known)
	})
	done.Done = moment(micros(done.Done))
	return named(done, err)("erasure")
}

// Unlink implements store.Links.
func (s *Store) Unlink(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID) (identity.Erasure, error) {
	done := identity.Erasure{Known: true}
	err := s.write(ctx, func(tx Tx) error {
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
		return tx.Exec(dropCodesFor, tenant, owner)
	})
	return named(done, err)("links of owner")
}

// peopleBehind lists as whom an owner is or was reached, each once.
func peopleBehind(tx Tx, tenant identity.TenantID, owner identity.OwnerID) ([]identity.Contact, error) {
	people, err := contactsOf(tx, tenant, owner)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Rows(ownerLinks, tenant, owner)
	links, err := collect(rows, err, scanLink)
	for _, l := range links {
		if c := (identity.Contact{Page: l.Page, PSID: l.PSID}); !slices.Contains(people, c) {
			people = append(people, c)
		}
	}
	return people, err
}

// unlinkPerson takes a person from an owner. Of one who is another owner's contact, too, the rest stays.
func (s *Store) unlinkPerson(tx Tx, tenant identity.TenantID, owner identity.OwnerID, c identity.Contact, done *identity.Erasure) error {
	owners, err := ownersOf(tx, c)
	if err != nil {
		return err
	}
	mine := func(o ownerRow) bool { return o.tenant == tenant && o.id == owner }
	if !slices.ContainsFunc(owners, func(o ownerRow) bool { return !mine(o) }) {
		return s.erasePerson(tx, c, done)
	}
	for _, query := range []string{giveUpPending + ofOwner, giveUpHeld + ofOwner} {
		if err := tx.Exec(query, c.Page, c.PSID, tenant, owner); err != nil {
			return err
		}
	}
	for _, query := range []string{unaddressPending + ofOwner, unaddressHeld + ofOwner, unaddressDone + ofOwner} {
		n, err := tx.Change(query, c.Page, c.PSID, tenant, owner)
		if err != nil {
			return err
		}
		done.Deliveries += n
	}
	if err := tx.Exec(dropLink, tenant, owner, c.Page, c.PSID); err != nil {
		return err
	}
	return s.dropContact(tx, slices.DeleteFunc(owners, func(o ownerRow) bool { return !mine(o) }), c, done)
}

// peopleOf lists as whom the account was linked, each once.
func peopleOf(tx Tx, asid identity.ASID) ([]identity.Contact, error) {
	rows, err := tx.Rows(linksOfAccount, asid)
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
func (s *Store) erasePerson(tx Tx, c identity.Contact, done *identity.Erasure) error {
	for _, query := range []string{giveUpPending, giveUpHeld} {
		if err := tx.Exec(query, c.Page, c.PSID); err != nil {
			return err
		}
	}
	for _, query := range []string{unaddressPending, unaddressHeld, unaddressDone} {
		n, err := tx.Change(query, c.Page, c.PSID)
		if err != nil {
			return err
		}
		done.Deliveries += n
	}
	for _, query := range []string{dropLinksOf, dropCodesBy, dropWindow, dropSaid, dropQuestion} {
		if err := tx.Exec(query, c.Page, c.PSID); err != nil {
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
func (s *Store) eraseContacts(tx Tx, c identity.Contact, done *identity.Erasure) error {
	owners, err := ownersOf(tx, c)
	if err != nil {
		return err
	}
	return s.dropContact(tx, owners, c, done)
}

// dropContact takes a contact from owners.
func (s *Store) dropContact(tx Tx, owners []ownerRow, c identity.Contact, done *identity.Erasure) error {
	for _, o := range owners {
		o.contacts = slices.DeleteFunc(o.contacts, func(other identity.Contact) bool { return other == c })
		if err := tx.Exec(setContacts, text(o.contacts), micros(s.now()), o.tenant, o.id); err != nil {
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
func ownersOf(tx Tx, c identity.Contact) ([]ownerRow, error) {
	rows, err := tx.Rows(ownersOfPerson, "%"+escapeLike(string(c.PSID))+"%")
	all, err := collect(rows, err, func(row Row) (ownerRow, error) {
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
	err := s.db.QueryRow(ctx, getErasure, hash).Scan(&e.Hash, &requested, &done, &e.Contacts, &e.Deliveries, &e.Known)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	e.Requested, e.Done = moment(requested), moment(done)
	return named(e, err)("erasure")
}
