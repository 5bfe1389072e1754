// Package chat answers vehicle owners who write to their page: "where is my car?".
//
// [Understand] finds out what somebody wants from what they typed, in six languages, with typos and synonyms.
// [Dialog] answers it from what it may know of the fleet, which its caller gives it as a [Fleet]. A button says
// everything that is needed to answer it, so that a dialog has no state that could be lost: who taps a button after a
// restart, or a week later, is understood as well.
//
// A person learns of their own vehicles only, whatever a button that reaches us says. What is not understood gets a
// short answer with buttons, never silence.
package chat
