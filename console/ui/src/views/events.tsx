import { useState } from 'preact/hooks'
import { seg } from '../api'
import { age, allKinds, exactly, kindWords, when } from '../lib/format'
import { chosen, frame } from '../map/focus'
import { Empty } from '../parts/empty'
import { Choice, Text } from '../parts/form'
import { Table } from '../parts/table'
import { go, route } from '../router'
import { crossings, fenceName, tick, vehicleName } from '../state'
import type { Crossing } from '../types'

const reasons: Record<string, string> = {
  clear: 'two positions close in time, and a movement that fits the speeds',
  sparse: 'the positions on both sides are more than 30 seconds away',
  waited: 'the position that showed it looked odd, the next one confirmed it',
  shallow: 'told by the mean of a stop, not by depth',
  replayed: 'found when late positions were put in their place',
  derived: 'the tracker reports no speed; it follows from the positions',
  gap: 'nothing was heard for more than five minutes: that it happened is sure, when is not',
  restored: 'the side before was known from the store only, after a restart',
}

/** Crossings as they are decided, newest first. */
export function Events() {
  const [vehicle, setVehicle] = useState(route.value.query.get('vehicle') ?? '')
  const [fence, setFence] = useState(route.value.query.get('fence') ?? '')
  const [kind, setKind] = useState('')
  const [open, setOpen] = useState('')
  const fits = (c: Crossing): boolean =>
    (!kind || c.kind === kind) && has(vehicle, c.vehicle, vehicleName(c.vehicle)) && has(fence, c.fence, c.fence_name)
  const rows = crossings.value.filter(fits)
  return (
    <section class="sheet" aria-label="Crossings">
      <header class="sheethead">
        <h1>Crossings</h1>
        <p class="hint">What the vehicles did, as it is decided; the newest first.</p>
      </header>
      <div class="filters">
        <Text label="Vehicle" value={vehicle} set={setVehicle} />
        <Text label="Fence" value={fence} set={setFence} />
        <Choice
          label="Kind"
          value={kind}
          set={setKind}
          options={[{ value: '', label: 'any' }, ...allKinds.map(k => ({ value: k, label: kindWords(k) }))]}
        />
      </div>
      {rows.length === 0 ? (
        <Empty title={crossings.value.length ? 'Nothing fits' : 'No crossings yet'}>
          <p>
            When a vehicle moves into a fence or out of it, it is here within a second. One position inside a fence is
            no crossing: the engine asks for a movement that could have made it.
          </p>
        </Empty>
      ) : (
        <Table
          caption="Crossings"
          rows={rows}
          id={c => c.id}
          chosen={open}
          open={c => setOpen(open === c.id ? '' : c.id)}
          detail={detail}
          columns={[
            {
              title: 'What',
              cell: c => (
                <>
                  <b>{vehicleName(c.vehicle)}</b> {kindWords(c.kind)} <b>{c.fence_name || fenceName(c.fence)}</b>
                  {c.late && <em class="tag">late</em>}
                </>
              ),
            },
            {
              title: 'When',
              cell: c => (
                <time dateTime={c.at} title={exactly(c.at)}>
                  {when(c.at)}
                </time>
              ),
            },
            {
              title: 'How sure',
              narrow: true,
              cell: c => (
                <span title={reasons[c.why ?? '']}>
                  {'●'.repeat(c.confidence)}
                  {'○'.repeat(3 - c.confidence)}
                  <span class="hidden"> {c.confidence} of 3</span> {c.why}
                </span>
              ),
            },
            { title: 'Known', narrow: true, cell: c => age(c.received, tick.value) },
          ]}
        />
      )}
    </section>
  )
}

export const has = (text: string, ...names: (string | undefined)[]): boolean =>
  !text || names.some(n => n?.toLowerCase().includes(text.toLowerCase()))

function detail(c: Crossing) {
  return (
    <dl class="facts">
      <dt>Happened</dt>
      <dd>{exactly(c.at)}</dd>
      <dt>Heard</dt>
      <dd>{exactly(c.received)}</dd>
      <dt>Confidence</dt>
      <dd>
        {c.confidence} of 3{c.why && `: ${reasons[c.why] ?? c.why}`}
      </dd>
      <dt>Place</dt>
      <dd>
        {c.lat.toFixed(6)}, {c.lon.toFixed(6)}{' '}
        <button
          type="button"
          onClick={() => {
            frame.value = { box: [c.lon, c.lat, c.lon, c.lat], maxZoom: 17 }
            chosen.value = { vehicle: '', fence: c.fence }
            go('map')
          }}
        >
          On the map
        </button>
      </dd>
      <dt>Told</dt>
      <dd>
        <a href={`#/messages?vehicle=${seg(c.vehicle)}`}>Messages about this vehicle</a>
      </dd>
    </dl>
  )
}
