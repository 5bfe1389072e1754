// Package notify decides who hears of an event, in which words and by which route, and sees to it that each message is
// sent once.
//
// [Rules] turns an [Event] into alerts. Each alert becomes one [Delivery], a row of the [Outbox], in the same
// transaction that records the event; an answer becomes one by [NewReply] and [Enqueuer]. The [Dispatcher] claims
// deliveries page by page, asks [PlanFor], a pure function, for the route, puts the alert into [Words], and hands the
// message to a [Sender].
//
// Promises: deliveries to one person leave in the order of their events, answers before alerts; what was held while a
// person was away leaves as one digest; pages do not wait for each other, nor for an owner's other channel; a delivery
// whose outcome is unknown is settled by the echo of its id before anything is sent again.
package notify
