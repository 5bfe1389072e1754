import { useEffect, useState } from 'preact/hooks'
import { session } from '../session'
import { deliveries, feed, unclaimed, vehicles } from '../state'

interface Ready {
  status?: string
  parts?: Record<string, string>
  checks?: Record<string, string>
}

/** Figures of the metrics page that say how the gateway stands. */
const interesting: { name: RegExp; title: string }[] = [
  { name: /^outrider_.*fixes.*total$/, title: 'Positions' },
  { name: /^outrider_.*(lag|pending|waiting).*/, title: 'Waiting' },
  { name: /^outrider_.*(dropped|refused|dead_letters|drops).*total$/, title: 'Refused' },
  { name: /^outrider_.*crossings.*total$/, title: 'Crossings' },
  { name: /^outrider_.*(deliveries|sent).*/, title: 'Messages' },
]

interface Sample {
  name: string
  labels: string
  value: number
}

/** The plain samples of a Prometheus text page, histograms left out. */
export function parseMetrics(text: string): Sample[] {
  const found: Sample[] = []
  for (const line of text.split('\n')) {
    const m = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? (\S+)/.exec(line)
    if (m && !/_(bucket|sum|count|created)$/.test(m[1]))
      found.push({ name: m[1], labels: m[3] ?? '', value: Number(m[4]) })
  }
  return found
}

/** How the gateway is doing, at a glance. */
export function Health() {
  const [ready, setReady] = useState<{ ok: boolean; body: Ready }>()
  const [samples, setSamples] = useState<Sample[]>([])
  useEffect(() => {
    let gone = false
    const read = async (): Promise<void> => {
      const r = await fetch('/readyz', { headers: session.value.headers() }).catch(() => undefined)
      const m = await fetch('/metrics', { headers: session.value.headers() }).catch(() => undefined)
      if (gone) return
      setReady(r && { ok: r.ok, body: await r.json().catch(() => ({})) })
      if (m?.ok) setSamples(parseMetrics(await m.text()))
    }
    void read()
    const timer = setInterval(read, 3000)
    return () => {
      gone = true
      clearInterval(timer)
    }
  }, [])
  const of = (name: string): Sample[] => samples.filter(s => s.name === name)
  const parts = ready?.body.parts ?? ready?.body.checks ?? {}
  const backlog = of('outrider_page_backlog_deliveries').reduce((n, s) => n + s.value, 0)
  const oldest = Math.max(0, ...of('outrider_page_backlog_age_seconds').map(s => s.value))
  const held = deliveries.value.filter(d => d.state === 'held').length
  return (
    <section class="sheet" aria-label="Health">
      <header class="sheethead">
        <h1>Health</h1>
      </header>
      <div class="tiles">
        <Tile title="Gateway" value={ready ? (ready.ok ? 'ready' : 'not ready') : '…'} bad={ready && !ready.ok} />
        <Tile title="Vehicles" value={String(vehicles.value.size)} />
        <Tile title="Unclaimed" value={String(unclaimed.value)} />
        <Tile
          title="Waiting to be sent"
          value={backlog > 0 ? `${backlog}, for ${duration(oldest)}` : '0'}
          bad={oldest > 60}
        />
        <Tile title="Held messages" value={String(held)} bad={held > 0} />
        <Tile title="Live feed" value={feed.value} bad={feed.value === 'lost'} />
      </div>
      {Object.keys(parts).length > 0 && (
        <ul class="plain parts">
          {Object.entries(parts).map(([k, v]) => (
            <li key={k} class={v === 'ok' ? '' : 'bad'}>
              <b>{k}</b> {v}
            </li>
          ))}
        </ul>
      )}
      <div class="columns">
        {interesting.map(group => {
          const found = samples.filter(s => group.name.test(s.name))
          if (found.length === 0) return null
          return (
            <div key={group.title} class="box">
              <h2>{group.title}</h2>
              <dl class="facts">
                {found
                  .slice(0, 40)
                  .map(s => [
                    <dt key={`${s.name}${s.labels}t`}>{inWords(s)}</dt>,
                    <dd key={`${s.name}${s.labels}d`}>{s.value.toLocaleString()}</dd>,
                  ])}
              </dl>
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** A sample without the conventions of its name: "fixes: admitted". */
const inWords = (s: Sample): string => {
  const what = s.name
    .replace(/^outrider_/, '')
    .replace(/_total$/, '')
    .replaceAll('_', ' ')
  const labels = [...s.labels.matchAll(/="([^"]*)"/g)].map(m => m[1])
  return labels.length ? `${what}: ${labels.join(', ')}` : what
}

/** A time in its largest unit. */
const duration = (s: number): string =>
  s < 60 ? `${Math.round(s)} s` : s < 3600 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`

function Tile({ title, value, bad }: { title: string; value: string; bad?: boolean }) {
  return (
    <div class={bad ? 'tile bad' : 'tile'}>
      <small>{title}</small>
      <b>{value}</b>
    </div>
  )
}
