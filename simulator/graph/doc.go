// Package graph is a sandbox of Facebook's Graph API as a Messenger gateway meets it: an [http.Handler] that
// enforces Meta's rules and answers with Meta's error bodies, and that plays the people at the other end.
//
// [New] makes a [Sandbox]. [Sandbox.AddPage] and [Sandbox.AddPerson] fill it, [Sandbox.Say] and [Sandbox.Tap]
// let a person act, [Sandbox.Messages] tells what people received. Signed webhooks go to Options.WebhookURL,
// are repeated until they are answered with 200, and keep their order within one conversation unless
// [Faults] say otherwise.
//
// What is random is a function of Options.Seed and of what was asked, never of timing: the nth message of a
// conversation meets the same faults in every run.
//
// The sandbox never talks to the internet, keeps everything in memory, and is safe for many goroutines.
package graph
