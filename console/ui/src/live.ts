import { call } from './api'
import { session } from './session'
import { crossings, deliveries, feed, load, merged, vehicles } from './state'
import type { Crossing, Delivery, Fix } from './types'

// The live feed: server-sent events read with fetch, because EventSource cannot send a key. Fixes are collected
// and shown at most five times a second, however many come, and less often where showing them takes long.

const paint = 200 // ms between two pictures
const idle = 6 // times longer than a picture took, at least, before the next

let waiting = new Map<string, Fix>()
let rest = paint
let painter: ReturnType<typeof setTimeout> | undefined

/** Moves vehicles to their newest fixes. */
export function moved(vehicle: string, fix: Fix): void {
  waiting.set(vehicle, fix)
  if (painter === undefined) painter = setTimeout(show, rest)
}

function show(): void {
  painter = undefined
  const began = performance.now()
  const next = new Map(vehicles.value)
  for (const [id, fix] of waiting) {
    const known = next.get(id)
    if (known?.last_fix && known.last_fix.t > fix.t) continue
    next.set(id, known ? { ...known, last_fix: fix } : { id, claimed: false, last_fix: fix })
  }
  waiting = new Map()
  vehicles.value = next
  rest = Math.max(paint, idle * (performance.now() - began))
}

/** One event of the stream. */
interface Message {
  id?: string
  event: string
  data: string
}

/** Splits a stream of server-sent events; the rest of an incomplete one is kept. */
export class EventParser {
  private rest = ''

  feed(text: string): Message[] {
    this.rest += text
    const found: Message[] = []
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.rest)
      if (!end) return found
      const block = this.rest.slice(0, end.index)
      this.rest = this.rest.slice(end.index + end[0].length)
      const m: Message = { event: 'message', data: '' }
      for (const line of block.split(/\r?\n/)) {
        const colon = line.indexOf(':')
        if (colon === 0) continue // a comment that keeps the connection
        const field = colon < 0 ? line : line.slice(0, colon)
        const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
        if (field === 'event') m.event = value
        else if (field === 'data') m.data += (m.data ? '\n' : '') + value
        else if (field === 'id') m.id = value
      }
      if (m.data) found.push(m)
    }
  }
}

function take(m: Message): void {
  const data = JSON.parse(m.data)
  switch (m.event) {
    case 'fixes':
      for (const one of data.fixes) moved(one.vehicle, one.fix)
      break
    case 'crossing':
      crossings.value = merged(crossings.value, [data as Crossing])
      break
    case 'delivery':
      deliveries.value = merged(deliveries.value, [data as Delivery])
      break
  }
}

async function stream(signal: AbortSignal, last: { id: string }): Promise<void> {
  const headers: Record<string, string> = { Accept: 'text/event-stream' }
  if (last.id) headers['Last-Event-ID'] = last.id
  const answer = await call('events', { headers, signal })
  await load() // what happened before the stream began; what happens now waits in the stream
  feed.value = 'live'
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  const parser = new EventParser()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    for (const m of parser.feed(value)) {
      if (m.id) last.id = m.id
      take(m)
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    const t = setTimeout(done, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(t)
      done()
    })
  })

/** Loads everything and keeps it up to date until the function it returns is called. */
export function follow(): () => void {
  const stop = new AbortController()
  const who = session.value
  const last = { id: '' }
  const run = async (): Promise<void> => {
    let wait = 1000
    while (!stop.signal.aborted && session.value === who) {
      try {
        await stream(stop.signal, last)
        wait = 1000
      } catch {
        if (stop.signal.aborted) return
        feed.value = 'lost'
        wait = Math.min(wait * 2, 15_000)
      }
      await pause(wait, stop.signal)
    }
  }
  void run()
  return () => stop.abort()
}
