// Package pipeline is the product on one page: fix → crossings → alerts → outbox.
//
// [Intake] takes messages, decodes them and appends their fixes to the journal; only then may a message be
// acknowledged. One lane for each partition of the journal reads the fixes back, asks the gate, the tracker
// and the rules, and commits what they decided together with its position. [Fences] holds the fences in force.
//
// Promise: what was acknowledged is evaluated once. A lane's commit is one transaction (position, crossings,
// memberships, deliveries), so after a crash nothing before the committed position is repeated and nothing
// behind it is lost; a lane replays from its last snapshot to the committed position without speaking.
package pipeline
