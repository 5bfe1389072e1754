// Package lex lets Amazon Lex ask the gateway's dialog: the fulfilment side of a bot whose channel is Facebook.
//
// Lex calls a Lambda function, which passes the event on to the gateway's [Handler]. It recognises the person by the
// page-scoped id that comes with the channel, lets the dialog of package chat answer, and says it in Lex's words. Events
// of Lex V2 are answered in its form, those of the older V1, which some still emulate, in theirs.
//
// Wire forms: docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html and lambda-response-format.html. Fields that
// are not named here are ignored, since AWS adds some without a new version.
package lex
