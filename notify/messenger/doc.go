// Package messenger is the way to Facebook Messenger and back.
//
// [Client] sends messages by the Send API and says of each refusal what it means, by the table in action.go.
// [TemplateKeeper] sees to it that each page has the utility templates that alerts need outside the 24 hour
// window. [Webhook] takes what Meta tells: it verifies, decodes and stores events before it answers.
//
// The package sends no message on its own and keeps no state of deliveries: that is package notify.
package messenger
