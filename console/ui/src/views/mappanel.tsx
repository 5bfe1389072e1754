import { useState } from 'preact/hooks'
import { call, seg } from '../api'
import { begin, blank, draft, draftOf } from '../draft'
import { colourOf } from '../lib/colour'
import { age, metres, speed } from '../lib/format'
import { boundsOf, circleRing, type LonLat, pointsOf } from '../lib/geo'
import { chosen, frame } from '../map/focus'
import { stateOf } from '../map/vehicles'
import { Icon } from '../parts/icon'
import { href } from '../router'
import { attempt, fences, loaded, tick, vehicles } from '../state'
import type { Fence, Shape, Vehicle } from '../types'
import { Editor } from './editor'

/** What stands beside the map: what is there, or the fence that is being drawn. */
export function MapPanel() {
  if (draft.value) return <Editor />
  return (
    <section class="panel" aria-label="Fences and vehicles">
      <Finder />
      <Chosen />
      <NewFence />
      <Lists />
    </section>
  )
}

const search = { text: '' }

function Finder() {
  const [text, setText] = useState(search.text)
  const found = text.trim() ? hits(text.trim().toLowerCase()) : []
  return (
    <div class="finder">
      <label class="hidden" for="finder">
        Find a vehicle or fence
      </label>
      <input
        id="finder"
        type="search"
        placeholder="Find a vehicle or fence"
        value={text}
        autocomplete="off"
        onInput={e => setText(e.currentTarget.value)}
      />
      {found.length > 0 && (
        <ul class="hits">
          {found.map(h => (
            <li key={h.kind + h.id}>
              <button
                type="button"
                class="link"
                onClick={() => {
                  h.show()
                  setText('')
                }}
              >
                <Icon name={h.kind} />
                {h.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      {text.trim() && found.length === 0 && <p class="hint">Nothing is called so.</p>}
    </div>
  )
}

interface Hit {
  kind: 'vehicle' | 'polygon'
  id: string
  name: string
  show: () => void
}

function hits(text: string): Hit[] {
  const found: Hit[] = []
  const fits = (id: string, name?: string): boolean =>
    id.toLowerCase().includes(text) || !!name?.toLowerCase().includes(text)
  for (const v of vehicles.value.values())
    if (fits(v.id, v.name)) found.push({ kind: 'vehicle', id: v.id, name: v.name || v.id, show: () => showVehicle(v) })
  for (const f of fences.value.values())
    if (fits(f.id, f.properties.name))
      found.push({ kind: 'polygon', id: f.id, name: f.properties.name || f.id, show: () => showFence(f) })
  return found.slice(0, 8)
}

export function showVehicle(v: Vehicle): void {
  chosen.value = { vehicle: v.id, fence: '' }
  if (v.last_fix) frame.value = { box: [v.last_fix.lon, v.last_fix.lat, v.last_fix.lon, v.last_fix.lat], maxZoom: 15 }
}

export function showFence(f: Fence): void {
  chosen.value = { vehicle: '', fence: f.id }
  const points =
    f.geometry.type === 'Point'
      ? circleRing(f.geometry.coordinates as LonLat, f.properties.radius_m ?? 100)
      : pointsOf(f.geometry)
  const box = boundsOf(points)
  if (box) frame.value = { box, maxZoom: 17 }
}

function Chosen() {
  const v = vehicles.value.get(chosen.value.vehicle)
  if (v) return <VehicleCard v={v} />
  const f = fences.value.get(chosen.value.fence)
  return f ? <FenceCard f={f} /> : null
}

const stateWords = { moving: 'moving', standing: 'standing', silent: 'silent' }

function VehicleCard({ v }: { v: Vehicle }) {
  const fix = v.last_fix
  return (
    <article class="card" aria-label={`Vehicle ${v.name || v.id}`}>
      <h2>{v.name || v.id}</h2>
      <p>
        <b class={`state ${stateOf(v, tick.value)}`}>{stateWords[stateOf(v, tick.value)]}</b>{' '}
        {fix ? `${speed(fix.spd)}, heard of ${age(fix.t, tick.value)}` : 'never heard of'}
      </p>
      {fix && (
        <p class="hint">
          {fix.lat.toFixed(5)}, {fix.lon.toFixed(5)}
          {fix.acc !== undefined && ` ± ${metres(fix.acc)}`}
        </p>
      )}
      <p class="actions">
        <a href={href('vehicles', v.id)}>Details</a> <a href={`#/events?vehicle=${seg(v.id)}`}>Crossings</a>
      </p>
    </article>
  )
}

function FenceCard({ f }: { f: Fence }) {
  const p = f.properties
  const edit = (): void =>
    void attempt(async () => {
      const answer = await call(`geofences/${seg(f.id)}`)
      begin(draftOf(await answer.json(), answer.headers.get('ETag') ?? ''))
    })
  return (
    <article class="card" aria-label={`Fence ${p.name || f.id}`}>
      <h2>
        <i class="swatch" ref={paint(colourOf(f.id, p.color))} />
        {p.name || f.id}
      </h2>
      <p>
        {p.shape}
        {p.radius_m ? `, radius ${metres(p.radius_m)}` : ''}
        {p.width_m ? `, ${metres(p.width_m)} wide` : ''}
        {p.tags?.length ? ` · ${p.tags.join(', ')}` : ''}
      </p>
      <p class="actions">
        <button type="button" onClick={edit}>
          Edit
        </button>{' '}
        <a href={`#/events?fence=${seg(f.id)}`}>Crossings</a>
      </p>
    </article>
  )
}

/** Sets a colour from data. The policy of the page forbids style attributes, not this. */
export const paint =
  (colour: string) =>
  (el: HTMLElement | null): void => {
    if (el) el.style.background = colour
  }

const shapes: { shape: Shape; title: string; hint: string }[] = [
  { shape: 'circle', title: 'Circle', hint: 'so many metres around a place' },
  { shape: 'polygon', title: 'Polygon', hint: 'an area with corners, and holes if need be' },
  { shape: 'corridor', title: 'Corridor', hint: 'a route and how far one may stray from it' },
  { shape: 'tripwire', title: 'Tripwire', hint: 'a line; crossing it is told with its direction' },
]

function NewFence() {
  return (
    <fieldset class="newfence">
      <legend class="hidden">Draw a fence</legend>
      {shapes.map(s => (
        <button key={s.shape} type="button" title={s.hint} onClick={() => begin(blank(s.shape))}>
          <Icon name={s.shape} />
          <span>{s.title}</span>
        </button>
      ))}
    </fieldset>
  )
}

function Lists() {
  const all = [...fences.value.values()].sort((a, b) =>
    (a.properties.name || a.id).localeCompare(b.properties.name || b.id),
  )
  const [most, setMost] = useState(50)
  if (loaded.value && all.length === 0) {
    return (
      <div class="empty">
        <h2>No fences yet</h2>
        <p>
          A fence is an area whose crossings are told. Draw the first one with the buttons above. Vehicles appear on the
          map by themselves as soon as they publish a position.
        </p>
      </div>
    )
  }
  return (
    <>
      <h2 class="listhead">
        Fences <small>{all.length}</small>
      </h2>
      <ul class="list" aria-label="Fences">
        {all.slice(0, most).map(f => (
          <li key={f.id}>
            <button
              type="button"
              class={chosen.value.fence === f.id ? 'row chosen' : 'row'}
              onClick={() => showFence(f)}
            >
              <i class="swatch" ref={paint(colourOf(f.id, f.properties.color))} />
              <span>{f.properties.name || f.id}</span>
              <small>{f.properties.shape}</small>
            </button>
          </li>
        ))}
      </ul>
      {all.length > most && (
        <button type="button" class="more" onClick={() => setMost(most + 200)}>
          Show more
        </button>
      )}
    </>
  )
}
