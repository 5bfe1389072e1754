// Package notify decides who hears of an event, by which route, and sees to it that each message is sent
// once.
//
// [Rules] turns an [Event] into alerts. Each alert becomes one [Delivery], a row of the [Outbox], in the same
// transaction that records the event. The [Dispatcher] claims deliveries page by page, asks [PlanFor], a pure
// function, for the route, and hands the message to a [Sender].
//
// Promises: deliveries to one person leave in the order of their events; pages do not wait for each other;
// a delivery whose outcome is unknown is settled by the echo of its id before anything is sent again.
package notify
