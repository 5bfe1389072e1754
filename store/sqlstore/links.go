package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

const (
	linkCodeColumns = `hash, tenant, owner, page, vehicle, asid, parent, created, expires, used, psid`
	putLinkCode     = `INSERT INTO link_codes (` + linkCodeColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')`
	getLinkCode     = `SELECT ` + linkCodeColumns + ` FROM link_codes WHERE hash = ?`
	openCodes       = `SELECT ` + linkCodeColumns + ` FROM link_codes
		WHERE asid = ? AND asid <> '' AND used = 0 AND expires > ?`
	useLinkCode     = `UPDATE link_codes SET used = ?, psid = ? WHERE hash = ? AND used = 0`
	useLinkChildren = `UPDATE link_codes SET used = ?, psid = ? WHERE parent = ? AND parent <> '' AND used = 0`
	dropLinkCodes   = `DELETE FROM link_codes WHERE expires < ?`

	ownerContacts = `SELECT contacts FROM owners WHERE tenant = ? AND id = ?`
	setContacts   = `UPDATE owners SET contacts = ?, updated = ? WHERE tenant = ? AND id = ?`
	putLink       = `INSERT INTO links (tenant, owner, page, psid, asid, via, at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, owner, page, psid) DO UPDATE SET asid = CASE excluded.asid WHEN '' THEN links.asid ELSE excluded.asid END, via = excluded.via, at = excluded.at`
	dropLink   = `DELETE FROM links WHERE tenant = ? AND owner = ? AND page = ? AND psid = ?`
	ownerLinks = `SELECT tenant, owner, page, psid, asid, via, at FROM links WHERE tenant = ? AND owner = ? ORDER BY page, psid`

	vehicleOwners    = `SELECT owners FROM vehicles WHERE tenant = ? AND id = ?`
	setVehicleOwners = `UPDATE vehicles SET owners = ?, updated = ? WHERE tenant = ? AND id = ?`

	addressHeld = `UPDATE deliveries SET page = ?, psid = ?, state = 'pending', away = ?, reason = '', detail = '', next_at = ?
		WHERE tenant = ? AND json_extract(alert, '$.owner') = ? AND state = 'held' AND reason = 'no_contact'`
	forward = `UPDATE deliveries SET psid = ?, state = 'pending', next_at = ?
		WHERE page = ? AND psid = ? AND tenant = ? AND json_extract(alert, '$.owner') = ? AND state IN ('pending', 'held')`
)

// PutLinkCode implements store.Links.
func (s *Store) PutLinkCode(ctx context.Context, c identity.LinkCode) error {
	return s.put(ctx, "link code of owner", string(c.Owner), func(tx Tx) error {
		if err := tx.Exec(dropLinkCodes, micros(s.now().Add(-store.CodesKept))); err != nil {
			return err
		}
		return tx.Exec(putLinkCode, c.Hash, c.Tenant, c.Owner, c.Page, c.Vehicle, c.ASID, c.Parent, micros(c.Created), micros(c.Expires))
	})
}

// LinkCode implements store.Links.
func (s *Store) LinkCode(ctx context.Context, hash identity.CodeHash) (identity.LinkCode, error) {
	c, err := scanLinkCode(s.db.QueryRow(ctx, getLinkCode, hash))
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	return named(c, err)("link code")
}

// OpenCodes implements store.Links.
func (s *Store) OpenCodes(ctx context.Context, asid identity.ASID) ([]identity.LinkCode, error) {
	rows, err := s.db.Query(ctx, openCodes, asid, micros(s.now()))
	codes, err := collect(rows, err, scanLinkCode)
	slices.SortFunc(codes, func(a, b identity.LinkCode) int { return b.Created.Compare(a.Created) })
	return named(codes, err)("open codes")
}

func scanLinkCode(row Row) (identity.LinkCode, error) {
	var (
		c                      identity.LinkCode
		created, expires, used int64
	)
	err := row.Scan(&c.Hash, &c.Tenant, &c.Owner, &c.Page, &c.Vehicle, &c.ASID, &c.Parent, &created, &expires, &used, &c.PSID)
	c.Created, c.Expires, c.Used = moment(created), moment(expires), moment(used)
	return c, err
}

// redeem links whoever brought a code, if the code is good: known, of this page, open at the event's own time.
func (s *Store) redeem(tx Tx, e notify.ThreadEvent, r *notify.Received) error {
	c, err := codeOf(tx, e.Code)
	if errors.Is(err, sql.ErrNoRows) {
		r.Codes = append(r.Codes, identity.CodeUnknown)
		return nil
	}
	if err != nil {
		return err
	}
	verdict := c.Judge(e.Page, e.PSID, e.Time)
	if verdict == identity.CodeLinked {
		verdict, err = s.use(tx, c, e, r)
	}
	r.Codes = append(r.Codes, verdict)
	return err
}

// use links with a good code.
func (s *Store) use(tx Tx, c identity.LinkCode, e notify.ThreadEvent, r *notify.Received) (identity.Verdict, error) {
	l := identity.Link{
		Tenant: c.Tenant, Owner: c.Owner, Page: c.Page, PSID: e.PSID, Vehicle: c.Vehicle, ASID: c.ASID,
		Via: identity.ViaCode, At: e.Time,
	}
	err := s.link(tx, l, e.Kind == notify.ThreadAction)
	if errors.Is(err, store.ErrNotFound) {
		return identity.CodeOwnerGone, nil
	}
	if err != nil {
		return identity.CodeLinked, err
	}
	r.Linked = append(r.Linked, l)
	return identity.CodeLinked, useCodes(tx, l, c.Hash, cmp.Or(c.Parent, c.Hash))
}

// useCodes marks a code as used by a link, and with it the one it was made from and all that were made from that:
// they were all for one person.
func useCodes(tx Tx, l identity.Link, hash, root identity.CodeHash) error {
	for _, h := range []identity.CodeHash{hash, root} {
		if err := tx.Exec(useLinkCode, micros(l.At), l.PSID, h); err != nil {
			return err
		}
	}
	return tx.Exec(useLinkChildren, micros(l.At), l.PSID, root)
}

func codeOf(tx Tx, hash identity.CodeHash) (identity.LinkCode, error) {
	return scanLinkCode(tx.Row(getLinkCode, hash))
}

// Link implements store.Links.
func (s *Store) Link(ctx context.Context, l identity.Link) error {
	return s.put(ctx, "link of owner", string(l.Owner), func(tx Tx) error {
		if err := s.link(tx, l, false); err != nil {
			return err
		}
		return useCodes(tx, l, l.Code, l.Code)
	})
}

// link does what [store.Links] says that linking means. wrote says that the person just did something that opens the
// window, so that what was held goes out together.
func (s *Store) link(tx Tx, l identity.Link, wrote bool) error {
	contacts, err := contactsOf(tx, l.Tenant, l.Owner)
	if err != nil {
		return err
	}
	contact := identity.Contact{Page: l.Page, PSID: l.PSID}
	if !slices.Contains(contacts, contact) {
		i := slices.IndexFunc(contacts, func(c identity.Contact) bool { return c.Page == l.Page })
		if i < 0 {
			contacts = append(contacts, contact)
		} else {
			if err := s.replaced(tx, l, contacts[i]); err != nil {
				return err
			}
			contacts[i] = contact
		}
		if err := tx.Exec(setContacts, text(contacts), micros(s.now()), l.Tenant, l.Owner); err != nil {
			return err
		}
	}
	if err := tx.Exec(putLink, l.Tenant, l.Owner, l.Page, l.PSID, l.ASID, l.Via, micros(l.At)); err != nil {
		return err
	}
	if err := s.giveVehicle(tx, l); err != nil {
		return err
	}
	return s.address(tx, l.Tenant, l.Owner, contacts[0], wrote && contacts[0] == contact)
}

// contactsOf returns an owner's contacts, store.ErrNotFound without such an owner.
func contactsOf(tx Tx, tenant identity.TenantID, owner identity.OwnerID) ([]identity.Contact, error) {
	var raw string
	if err := tx.One([]any{&raw}, ownerContacts, tenant, owner); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = store.ErrNotFound
		}
		return nil, err
	}
	var contacts []identity.Contact
	return contacts, json.Unmarshal([]byte(raw), &contacts)
}

// replaced sends what waits for the owner's old contact to the new one.
func (s *Store) replaced(tx Tx, l identity.Link, old identity.Contact) error {
	if err := tx.Exec(forward, l.PSID, micros(s.now()), old.Page, old.PSID, l.Tenant, l.Owner); err != nil {
		return err
	}
	return tx.Exec(dropLink, l.Tenant, l.Owner, old.Page, old.PSID)
}

// giveVehicle makes the link's vehicle the owner's, too; it is registered if nobody did.
func (s *Store) giveVehicle(tx Tx, l identity.Link) error {
	if l.Vehicle == "" {
		return nil
	}
	var raw string
	err := tx.One([]any{&raw}, vehicleOwners, l.Tenant, l.Vehicle)
	if errors.Is(err, sql.ErrNoRows) {
		return tx.Exec(putVehicle, l.Tenant, l.Vehicle, "", text([]identity.OwnerID{l.Owner}), text([]string{}), "", micros(s.now()))
	}
	if err != nil {
		return err
	}
	var owners []identity.OwnerID
	if err := json.Unmarshal([]byte(raw), &owners); err != nil || slices.Contains(owners, l.Owner) {
		return err
	}
	return tx.Exec(setVehicleOwners, text(append(owners, l.Owner)), micros(s.now()), l.Tenant, l.Vehicle)
}

// address sends what was held for want of a contact to the contact.
func (s *Store) address(tx Tx, tenant identity.TenantID, owner identity.OwnerID, c identity.Contact, wrote bool) error {
	return tx.Exec(addressHeld, c.Page, c.PSID, wrote, micros(s.now()), tenant, owner)
}

// addressOwner does the same with the owner's first contact, if there is one.
func (s *Store) addressOwner(tx Tx, tenant identity.TenantID, owner identity.OwnerID) error {
	contacts, err := contactsOf(tx, tenant, owner)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(contacts) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("contacts of owner %q: %w", owner, err)
	}
	return s.address(tx, tenant, owner, contacts[0], false)
}

// Links implements store.Links.
func (s *Store) Links(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID) ([]identity.Link, error) {
	rows, err := s.db.Query(ctx, ownerLinks, tenant, owner)
	return named(collect(rows, err, scanLink))("links")
}

func scanLink(row Row) (identity.Link, error) {
	var (
		l  identity.Link
		at int64
	)
	err := row.Scan(&l.Tenant, &l.Owner, &l.Page, &l.PSID, &l.ASID, &l.Via, &at)
	l.At = moment(at)
	return l, err
}
