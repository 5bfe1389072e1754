// Package graph calls Meta's Graph API: one request, one answer, no retries.
//
// A [Client] sends the token in the Authorization header, so that it stands in no URL and no log, and adds the
// appsecret_proof. What went wrong is an [Error], which says what Graph answered, or whether the request can
// have had an effect when there was no answer. It never contains a secret.
//
// What an error code means for the caller is the caller's business.
package graph
