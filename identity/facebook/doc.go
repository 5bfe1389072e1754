// Package facebook brings owners and pages together at Facebook.
//
// A [Flow] is a set of web pages under /auth/facebook/. A fleet's web site asks the API for a link, and sends the
// owner there. The way is a list of steps, each with its own error and its own page for people:
//
//	ticket   signed by the gateway: tenant, owner, vehicle, page, and until when
//	dialog   Facebook asks the person; state binds its answer to the browser that asked
//	code     becomes a user token
//	long_lived_token  and that one of about 60 days (fb_exchange_token)
//	person   the app-scoped id
//	page_token        the page's own, of somebody who manages it
//	ids_for_pages     the page-scoped id, if Graph knows it; appsecret_proof is on every call
//
// Graph mostly does not know it: so the way ends with an m.me link that carries a one-time code. Whoever follows it
// proves that browser and conversation belong together; the webhook does the rest, see notify.Inbox.
//
// A [Keeper] looks after the pages: their tokens daily, their webhook subscription hourly. Deauthorise and
// data-deletion callbacks really delete, see [Flow].
//
// The package never prints a token or a code. What it stores is sealed or hashed by those who store it.
package facebook
