// Package lex stands in for Amazon Lex V2 and AWS Lambda where there is no account: [Sandbox] answers RecognizeText for
// a bot that it reads from the same zip that Lex imports, and refuses what is not signed as AWS asks (Signature
// Version 4); [Lambda] drives a function's program through the runtime API that AWS documents.
//
// It understands words as they are in the bot's sample utterances, no better. It is an independent judge: it shares no
// code with the gateway.
package lex
