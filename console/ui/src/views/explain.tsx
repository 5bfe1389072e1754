import { useState } from 'preact/hooks'
import { get, Problem, seg } from '../api'
import { exactly } from '../lib/format'
import { Text } from '../parts/form'
import { route } from '../router'
import { vehicles } from '../state'

interface Step {
  stage?: string
  step?: string
  verdict?: string
  outcome?: string
  text?: string
  detail?: string
  at?: string
  [more: string]: unknown
}
interface Explanation {
  steps?: Step[]
  summary?: string
  [more: string]: unknown
}

/** Why an alert was sent, or was not: each stage from the position to Meta's answer. */
export function Explain() {
  const [vehicle, setVehicle] = useState(route.value.query.get('vehicle') ?? '')
  const [at, setAt] = useState(local(route.value.query.get('at')))
  const [found, setFound] = useState<Explanation>()
  const [problem, setProblem] = useState('')
  const ask = async (e?: Event): Promise<void> => {
    e?.preventDefault()
    setProblem('')
    setFound(undefined)
    try {
      setFound(await get<Explanation>(`explain?vehicle=${seg(vehicle)}&at=${seg(new Date(at).toISOString())}`))
    } catch (cause) {
      setProblem(
        cause instanceof Problem && cause.status === 404
          ? 'Nothing is kept of that vehicle at that moment.'
          : cause instanceof Error
            ? cause.message
            : String(cause),
      )
    }
  }
  return (
    <section class="sheet" aria-label="Explain">
      <header class="sheethead">
        <h1>Explain</h1>
        <p class="hint">Why somebody was told something, or was not: from the position to Meta’s answer.</p>
      </header>
      <form class="filters" onSubmit={ask}>
        <Text label="Vehicle" value={vehicle} set={setVehicle} list="vehicle-ids" required />
        <datalist id="vehicle-ids">
          {[...vehicles.value.values()].slice(0, 500).map(v => (
            <option key={v.id} value={v.id}>
              {v.name}
            </option>
          ))}
        </datalist>
        <Text label="When" type="datetime-local" value={at} set={setAt} required />
        <button type="submit" class="primary" disabled={!vehicle || !at}>
          Explain
        </button>
      </form>
      {problem && (
        <p class="faults" role="alert">
          {problem}
        </p>
      )}
      {found?.summary && <p class="summary">{found.summary}</p>}
      {found?.steps && (
        <ol class="steps">
          {found.steps.map((s, i) => (
            <li key={i}>
              <StepLine s={s} />
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function StepLine({ s }: { s: Step }) {
  const { stage, step, verdict, outcome, text, detail, at, ...rest } = s
  const more = Object.entries(rest).filter(([, v]) => v !== undefined && v !== null && v !== '')
  return (
    <>
      <b>{stage ?? step}</b> {(verdict ?? outcome) && <em class="tag">{verdict ?? outcome}</em>} {text ?? detail}
      {at && (
        <time class="hint" dateTime={at}>
          {' '}
          {exactly(at)}
        </time>
      )}
      {more.length > 0 && (
        <dl class="facts">
          {more.map(([k, v]) => [
            <dt key={`${k}t`}>{k.replaceAll('_', ' ')}</dt>,
            <dd key={`${k}d`}>{typeof v === 'object' ? <code>{JSON.stringify(v)}</code> : String(v)}</dd>,
          ])}
        </dl>
      )}
    </>
  )
}

/** A moment as a datetime-local field wants it; now if there is none. */
function local(iso: string | null): string {
  const t = iso ? new Date(iso) : new Date()
  return new Date(t.getTime() - t.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
