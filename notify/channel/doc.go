// Package channel sends what cannot go out by Messenger to an owner's other channel: a mail, chat or push service
// named by a shoutrrr URL, or a web server that takes signed CloudEvents.
//
// [Sender] stands before another [notify.Sender] and takes the messages of the route fallback. A channel's URL holds
// passwords: it reaches no log, error or trace. [Guard] keeps connections out of private networks; every send has the
// deadline of its context, also where the library behind it knows none.
package channel
