import { useState } from 'preact/hooks'
import { get } from '../api'
import { exactly, kindWords } from '../lib/format'
import { Num, Text } from '../parts/form'
import { href, route } from '../router'
import { fenceName, ownerName, vehicleName, vehicles } from '../state'
import type { Explained, Explanation } from '../types'

const misses: Record<string, string> = {
  disabled: 'it is off',
  event: 'it does not ask for this event',
  vehicle: 'it is for other vehicles',
  geofence: 'it is for other geofences',
  schedule: 'not at this time',
  reading: 'it has a preset or thresholds of its own, or this crossing was seen by those of another rule',
  confidence: 'the engine was not sure enough',
}

/** The moment as a field for local time wants it. */
const local = (t: Date): string => new Date(t.getTime() - t.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

/** Why somebody was told, or was not. */
export function Why() {
  const asked = route.value.query
  const [vehicle, setVehicle] = useState(asked.get('vehicle') ?? '')
  const [at, setAt] = useState(local(asked.get('at') ? new Date(asked.get('at')!) : new Date()))
  const [within, setWithin] = useState(600)
  const [found, setFound] = useState<Explanation>()
  const [problem, setProblem] = useState('')
  const ask = async (e?: Event): Promise<void> => {
    e?.preventDefault()
    setProblem('')
    try {
      const q = new URLSearchParams({ vehicle, at: new Date(at).toISOString(), within_s: String(within) })
      setFound(await get<Explanation>(`explain?${q}`))
    } catch (cause) {
      setFound(undefined)
      setProblem(cause instanceof Error ? cause.message : String(cause))
    }
  }
  return (
    <section class="sheet" aria-label="Why">
      <header class="sheethead">
        <h1>Why?</h1>
        <p class="hint">From a vehicle’s positions to Meta’s answer: where a message came from, or where it ended.</p>
      </header>
      <form class="filters" onSubmit={ask}>
        <Text label="Vehicle" value={vehicle} set={setVehicle} list="vehicles" required />
        <datalist id="vehicles">
          {[...vehicles.value.keys()].map(v => (
            <option key={v} value={v} />
          ))}
        </datalist>
        <Text label="About when" type="datetime-local" value={at} set={setAt} required />
        <Num label="Give or take" unit="s" value={within} set={setWithin} min={1} max={86_400} />
        <button type="submit" class="primary" disabled={!vehicle}>
          Explain
        </button>
      </form>
      {problem && (
        <p class="faults" role="alert">
          {problem}
        </p>
      )}
      {found && (
        <div aria-live="polite">
          <ul class="notes">
            {found.notes.map(n => (
              <li key={n}>{n}</li>
            ))}
          </ul>
          {found.last_fix && <p class="hint">Heard last {exactly(found.last_fix.received)}.</p>}
          {found.refused.map(r => (
            <p class="faults" key={`${r.received}${r.detail}`}>
              Refused {exactly(r.received)}: {r.detail}
            </p>
          ))}
          {found.crossings.map(c => (
            <Step key={c.id} c={c} />
          ))}
        </div>
      )}
    </section>
  )
}

/** One crossing on its way. */
function Step({ c }: { c: Explained }) {
  return (
    <article class="box">
      <h2>
        {vehicleName(c.vehicle)} {kindWords(c.kind)} {c.fence_name || fenceName(c.fence)}
      </h2>
      <p>
        <time dateTime={c.at}>{exactly(c.at)}</time>, confidence {c.confidence} of 3{c.why ? ` (${c.why})` : ''}
        {c.late && ', found too late to tell anybody'}
      </p>
      <h3>Rules, as they were then</h3>
      <ul>
        {c.rules.map(j => (
          <li key={j.rule}>
            <a href={href('rules', j.rule)}>{j.name || j.rule}</a>:{' '}
            {j.miss
              ? (misses[j.miss] ?? j.miss)
              : j.to?.length
                ? `tells ${j.to.map(ownerName).join(', ')}`
                : 'holds, but knows nobody to tell'}
            {j.changed && <span class="hint"> (changed or deleted since, {exactly(j.changed)})</span>}
          </li>
        ))}
      </ul>
      <h3>Messages</h3>
      {c.deliveries.length === 0 && <p>None.</p>}
      {c.deliveries.map(d => (
        <div key={d.id}>
          <p>
            To {ownerName(d.owner)}: <span class={`state ${d.state}`}>{d.state}</span> {d.route} {d.detail}
          </p>
          <ol>
            {(d.trace ?? []).map((t, i) => (
              <li key={i}>
                {t.at ? exactly(t.at) : ''} {t.route} {t.state} {t.reason} {t.detail}{' '}
                {t.status ? `HTTP ${t.status}` : ''} {t.code ? `code ${t.code}` : ''}
              </li>
            ))}
          </ol>
        </div>
      ))}
    </article>
  )
}
