const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })

/** The time of day, with the date unless it is today. */
export function when(iso: string | undefined, now = new Date()): string {
  if (!iso) return '–'
  const t = new Date(iso)
  return t.toDateString() === now.toDateString() ? clock.format(t) : date.format(t)
}

export const exactly = (iso: string): string => whole.format(new Date(iso))

/** How long ago, in the largest unit that fits. */
export function age(iso: string | undefined, now = Date.now()): string {
  if (!iso) return 'never'
  const s = Math.max(0, Math.round((now - new Date(iso).getTime()) / 1000))
  if (s < 5) return 'just now'
  if (s < 120) return `${s} s ago`
  if (s < 7200) return `${Math.round(s / 60)} min ago`
  if (s < 172_800) return `${Math.round(s / 3600)} h ago`
  return `${Math.round(s / 86_400)} days ago`
}

export const speed = (mps: number | undefined): string => (mps === undefined ? '–' : `${Math.round(mps * 3.6)} km/h`)

export function metres(m: number): string {
  if (m < 1000) return `${m < 10 ? m.toFixed(1) : Math.round(m)} m`
  return `${(m / 1000).toFixed(m < 10_000 ? 2 : 1)} km`
}

export function area(m2: number): string {
  if (m2 < 10_000) return `${Math.round(m2)} m²`
  return m2 < 1e6 ? `${(m2 / 1e4).toFixed(1)} ha` : `${(m2 / 1e6).toFixed(2)} km²`
}

export function bytes(n: number): string {
  return n < 1024 ? `${n} B` : n < 1_048_576 ? `${(n / 1024).toFixed(1)} KB` : `${(n / 1_048_576).toFixed(1)} MB`
}

const kinds: Record<string, string> = {
  enter: 'entered',
  exit: 'left',
  pass: 'passed',
  dwell: 'stays in',
  overspeed: 'too fast in',
  overspeed_end: 'slower again in',
  stopped: 'stands in',
  silent: 'silent in',
  absent: 'not in',
}

/** What a kind of crossing means between the names of vehicle and fence. */
export const kindWords = (kind: string): string => kinds[kind] ?? kind

export const allKinds = Object.keys(kinds)
