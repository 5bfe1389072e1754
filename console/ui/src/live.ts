import { call, get } from './api'
import { session } from './session'
import { crossings, deliveries, feed, merged, vehicles } from './state'
import type { Crossing, Delivery, Fix, List, Vehicle } from './types'

// The live feed: server-sent events read with fetch, because EventSource cannot send a key. Fixes are collected
// and shown at most five times a second, however many come. Where the gateway has no feed it is asked again and again.

const paint = 200 // ms between two pictures
const pollEvery = 2000

let waiting = new Map<string, Fix>()
let painter: ReturnType<typeof setTimeout> | undefined

/** Moves vehicles to their newest fixes. */
export function moved(vehicle: string, fix: Fix): void {
  waiting.set(vehicle, fix)
  if (painter === undefined) painter = setTimeout(show, paint)
}

function show(): void {
  painter = undefined
  const next = new Map(vehicles.value)
  for (const [id, fix] of waiting) {
    const known = next.get(id)
    if (known?.last_fix && known.last_fix.t > fix.t) continue
    next.set(id, known ? { ...known, last_fix: fix } : { id, claimed: false, last_fix: fix })
  }
  waiting = new Map()
  vehicles.value = next
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
    case 'fix':
      moved(data.vehicle, data.fix ?? data)
      break
    case 'fixes':
      for (const one of data.fixes ?? data) moved(one.vehicle, one.fix ?? one)
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
  await poll(signal) // what happened before the stream began
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

async function poll(signal: AbortSignal): Promise<void> {
  const [v, c, d] = await Promise.all([
    get<List<Vehicle>>('vehicles?limit=1000', signal),
    get<List<Crossing>>('crossings?limit=100', signal),
    get<List<Delivery>>('deliveries?limit=100', signal),
  ])
  for (const one of v.items ?? []) if (one.last_fix) moved(one.id, one.last_fix)
  crossings.value = merged(crossings.value, c.items ?? [])
  deliveries.value = merged(deliveries.value, d.items ?? [])
  feed.value = 'polling'
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    const t = setTimeout(done, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(t)
      done()
    })
  })

/** Keeps the picture up to date until the function it returns is called. */
export function follow(): () => void {
  const stop = new AbortController()
  const who = session.value
  const last = { id: '' }
  let hasFeed = true
  const run = async (): Promise<void> => {
    let wait = 1000
    while (!stop.signal.aborted && session.value === who) {
      try {
        if (hasFeed) await stream(stop.signal, last)
        else await poll(stop.signal)
        wait = hasFeed ? 1000 : pollEvery
      } catch (cause) {
        if (stop.signal.aborted) return
        const status = (cause as { status?: number }).status
        if (hasFeed && (status === 404 || status === 405)) {
          hasFeed = false
          continue
        }
        feed.value = 'lost'
        wait = Math.min(wait * 2, 15_000)
      }
      await pause(wait, stop.signal)
    }
  }
  void run()
  return () => stop.abort()
}
