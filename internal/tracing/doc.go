// Package tracing tells an OpenTelemetry collector, by OTLP over HTTP, how each alert went from the arrival of its fix to
// Meta's answer. Spans are made from times that the pipeline and the dispatcher note anyway, after the work is done: a fix
// that gives no alert costs nothing. Ids follow from the delivery's, so that a delivery that is tried again, by another
// process even, stays one trace. Spans hold ids and reasons, no names, texts, positions or secrets.
//
// [New] begins, [Tracer.Committed] and [Tracer.Tried] take what happened, [Tracer.Stop] sends what is left. None of them
// waits for the collector but Stop, a
// second at most. A Tracer is safe for many goroutines.
package tracing
