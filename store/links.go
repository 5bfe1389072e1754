package store

import (
	"context"
	"time"

	"outrider/identity"
)

// Links keeps how owners become reachable.
//
// To link an owner to a person means, in one transaction: the person becomes the owner's contact for that page, in
// the place of another one of the same page if there is one and else behind the others; what waits for the contact
// that is replaced, and what was held because the owner had none, goes to the new one and becomes pending; the
// vehicle of the link, if any, gets the owner; the code that was brought is used, and so are the one it was made from and all others that were;
// and the link is remembered with the account that logged in.
type Links interface {
	// PutLinkCode keeps a fresh code, and forgets codes that expired more than [CodesKept] ago.
	PutLinkCode(ctx context.Context, c identity.LinkCode) error
	// LinkCode returns a code by its hash, ErrNotFound if there is none.
	LinkCode(ctx context.Context, hash identity.CodeHash) (identity.LinkCode, error)
	// OpenCodes lists the codes that were handed to an account's person and are open now, newest first.
	OpenCodes(ctx context.Context, asid identity.ASID) ([]identity.LinkCode, error)
	// Link links an owner whose PSID is known without a code. ErrNotFound if there is no such owner.
	Link(ctx context.Context, l identity.Link) error
	// Unlink deletes, in one transaction, everything that says who an owner is in Messenger: their contacts, links and
	// codes, and the PSIDs in their deliveries; those that were not sent yet are held. Of a person who is nobody else's
	// contact windows and words go, too. It returns what was done; ErrNotFound if there is no such owner.
	Unlink(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID) (identity.Erasure, error)
	// Links lists the owner's links, by page and PSID.
	Links(ctx context.Context, tenant identity.TenantID, owner identity.OwnerID) ([]identity.Link, error)
}

// CodesKept is how long a code is remembered after it expired, so that people can be told what became of it, and so
// that a webhook that Meta repeats for an hour finds it.
const CodesKept = 24 * time.Hour

// OptInsKept is how long the consent that a person gave while logging in is remembered: Meta lets a page write within
// a day of it.
const OptInsKept = 24 * time.Hour

// Accounts keeps the Facebook accounts that logged in, with their tokens sealed.
type Accounts interface {
	// PutAccount replaces the whole record and sets Updated.
	PutAccount(ctx context.Context, a identity.Account) error
	// Accounts lists all of them, by ASID.
	Accounts(ctx context.Context) ([]identity.Account, error)
	// ForgetToken drops the account's token, as after its person removed the app. It reports whether there was one.
	ForgetToken(ctx context.Context, asid identity.ASID) (bool, error)
	// OptIns lists the consents of a person, newest first, that came with events; of the last [OptInsKept].
	OptIns(ctx context.Context, login identity.LoginID) ([]identity.OptIn, error)
	// Erase deletes, in one transaction, everything that is kept of the account and of the people it was linked as:
	// the account with its token, its links, codes and consents, those people's places among their owners' contacts, their
	// windows and words, and their PSIDs in deliveries. Deliveries that were not sent yet are held: their owner has
	// no contact. It keeps e, with what was done filled in, and returns it. An account nobody knows is no error.
	Erase(ctx context.Context, asid identity.ASID, e identity.Erasure) (identity.Erasure, error)
	// Erasure returns an erasure by the hash of its confirmation code, ErrNotFound if there is none.
	Erasure(ctx context.Context, hash identity.CodeHash) (identity.Erasure, error)
}

// PageHealths keeps what the last checks of pages found out.
type PageHealths interface {
	PutPageHealth(ctx context.Context, h identity.PageHealth) error
	// PageHealth returns the zero health, but for Page, of a page that was never checked.
	PageHealth(ctx context.Context, page identity.PageID) (identity.PageHealth, error)
}
