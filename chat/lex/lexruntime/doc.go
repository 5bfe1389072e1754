// Package lexruntime asks Amazon Lex V2 what people mean: RecognizeText, signed with Signature Version 4. A [Client] is a
// [chat.Understander]: the gateway keeps Meta's webhook, and what Lex does not know, or not in time, the built-in grammar
// answers.
package lexruntime
