import { useEffect, useState } from 'preact/hooks'
import { get, seg } from '../api'
import { exactly, kindWords, when } from '../lib/format'
import { Empty } from '../parts/empty'
import { Choice, Text } from '../parts/form'
import { Table } from '../parts/table'
import { route } from '../router'
import { attempt, deliveries, ownerName } from '../state'
import type { Delivery } from '../types'
import { has } from './events'

const states: Record<string, string> = {
  pending: 'waiting',
  sending: 'on its way',
  settling: 'answer lost, waiting for its echo',
  sent: 'sent',
  held: 'held back',
  failed: 'failed',
  expired: 'too old',
  unknown: 'outcome unknown',
}
const routes: Record<string, string> = {
  window: 'in the 24 h window',
  utility: 'utility template',
  tag: 'message tag',
  human: 'operator',
  fallback: 'other channel',
  hold: '',
}

/** Messages to owners and what became of each. */
export function Messages() {
  const [state, setState] = useState(route.value.query.get('state') ?? '')
  const [text, setText] = useState(route.value.query.get('vehicle') ?? '')
  const [open, setOpen] = useState('')
  const rows = deliveries.value.filter(
    d => (!state || d.state === state) && has(text, d.vehicle, d.vehicle_name, d.owner, d.fence_name),
  )
  return (
    <section class="sheet" aria-label="Messages">
      <header class="sheethead">
        <h1>Messages</h1>
        <p class="hint">Who was told what, by which way, and what Meta answered.</p>
      </header>
      <div class="filters">
        <Text label="Vehicle, owner or fence" value={text} set={setText} />
        <Choice
          label="State"
          value={state}
          set={setState}
          options={[{ value: '', label: 'any' }, ...Object.entries(states).map(([value, label]) => ({ value, label }))]}
        />
      </div>
      {rows.length === 0 ? (
        <Empty title={deliveries.value.length ? 'Nothing fits' : 'No messages yet'}>
          <p>
            A crossing becomes a message when its vehicle has an owner, and the owner is linked to a page. Link owners
            under <a href="#/owners">Owners</a>.
          </p>
        </Empty>
      ) : (
        <Table
          caption="Messages"
          rows={rows}
          id={d => d.id}
          chosen={open}
          open={d => setOpen(open === d.id ? '' : d.id)}
          detail={d => <Trace d={d} />}
          columns={[
            {
              title: 'What',
              cell: d => (
                <>
                  <b>{d.vehicle_name || d.vehicle}</b> {kindWords(d.kind)} <b>{d.fence_name || d.fence}</b>
                </>
              ),
            },
            { title: 'To', narrow: true, cell: d => ownerName(d.owner) },
            {
              title: 'When',
              cell: d => (
                <time dateTime={d.at} title={exactly(d.at)}>
                  {when(d.at)}
                </time>
              ),
            },
            {
              title: 'State',
              cell: d => (
                <span class={`state ${d.state}`}>
                  {d.read_at ? 'read' : d.delivered_at ? 'delivered' : (states[d.state] ?? d.state)}
                </span>
              ),
            },
            {
              title: 'Way',
              narrow: true,
              cell: d => (d.state === 'held' ? d.detail : (routes[d.route ?? ''] ?? d.route)),
            },
          ]}
        />
      )}
    </section>
  )
}

/** Everything that is known of one delivery. */
function Trace({ d }: { d: Delivery }) {
  const [full, setFull] = useState(d)
  useEffect(() => {
    void attempt(async () => setFull(await get<Delivery>(`deliveries/${seg(d.id)}`)))
  }, [d.id, d.state, d.read_at])
  const line = (name: string, at?: string) =>
    at && (
      <>
        <dt>{name}</dt>
        <dd>{exactly(at)}</dd>
      </>
    )
  return (
    <>
      <dl class="facts">
        {line('Happened', full.at)}
        {line('Decided', full.created)}
        {line('Sent', full.sent_at)}
        {line('Delivered', full.delivered_at)}
        {line('Read', full.read_at)}
        {line('Tried again', full.next_at)}
        <dt>Attempts</dt>
        <dd>{full.attempts}</dd>
        {full.reason && (
          <>
            <dt>Reason</dt>
            <dd>{full.detail || full.reason}</dd>
          </>
        )}
        {full.message_id && (
          <>
            <dt>Message</dt>
            <dd>
              <code>{full.message_id}</code>
            </dd>
          </>
        )}
      </dl>
      {full.trace && full.trace.length > 0 && (
        <ol class="trace">
          {full.trace.map((s, i) => (
            <li key={i}>
              <TraceLine step={s} />
            </li>
          ))}
        </ol>
      )}
    </>
  )
}

function TraceLine({ step }: { step: Record<string, unknown> }) {
  const { at, ...rest } = step
  return (
    <>
      {typeof at === 'string' && <time dateTime={at}>{when(at)}</time>}{' '}
      {Object.entries(rest)
        .filter(([, v]) => v !== '' && v !== null && v !== 0)
        .map(([k, v]) => (
          <span key={k} class="kv">
            <b>{k.replaceAll('_', ' ')}</b> {typeof v === 'object' ? <code>{JSON.stringify(v)}</code> : String(v)}
          </span>
        ))}
    </>
  )
}
