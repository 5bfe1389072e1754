import { useState } from 'preact/hooks'
import { call, Problem, seg } from '../api'
import {
  addPoint,
  areaOf,
  beginHole,
  canRedo,
  canUndo,
  change,
  type Draft,
  draft,
  end,
  feature,
  missing,
  pen,
  redo,
  setPoint,
  undo,
} from '../draft'
import { colourOf, palette } from '../lib/colour'
import { area } from '../lib/format'
import { type LonLat, round7 } from '../lib/geo'
import { chosen, view } from '../map/focus'
import { Num, Tags, Text } from '../parts/form'
import { Icon } from '../parts/icon'
import { attempt, dropFence, putFence, say } from '../state'
import type { Fence } from '../types'
import { paint } from './mappanel'

/** The fence that is being drawn or edited, as numbers and names. The map beside it shows the same. */
export function Editor() {
  const d = draft.value!
  const [faults, setFaults] = useState<Problem | undefined>()
  const lacks = missing(d)
  const save = async (e: Event): Promise<void> => {
    e.preventDefault()
    setFaults(undefined)
    try {
      const saved = await store(d)
      putFence(saved)
      chosen.value = { vehicle: '', fence: saved.id }
      end()
      say(saved.warnings?.length ? `Saved. ${saved.warnings.join(' ')}` : 'Saved, and in force.')
    } catch (cause) {
      if (cause instanceof Problem) setFaults(cause)
      else throw cause
    }
  }
  return (
    <form class="panel editor" onSubmit={save} aria-label="Fence" onKeyDown={shortcuts}>
      <header class="editorhead">
        <h2>
          {d.id ? 'Edit' : 'New'} {d.shape}
        </h2>
        <button
          type="button"
          class="quiet"
          disabled={!canUndo.value}
          onClick={undo}
          aria-label="Undo"
          title="Undo (Ctrl Z)"
        >
          <Icon name="undo" />
        </button>
        <button
          type="button"
          class="quiet"
          disabled={!canRedo.value}
          onClick={redo}
          aria-label="Redo"
          title="Redo (Ctrl Y)"
        >
          <Icon name="redo" />
        </button>
      </header>
      <p class="guide" role="status">
        {guide(d, lacks)}
      </p>
      {faults && <Faults problem={faults} />}
      <Text
        label="Name"
        value={d.properties.name ?? ''}
        set={name => change({ properties: { ...d.properties, name } })}
        placeholder="as people call it"
      />
      {d.shape === 'circle' && (
        <Num label="Radius" unit="m" min={1} value={d.radius} set={radius => change({ radius })} />
      )}
      {d.shape === 'corridor' && (
        <Num
          label="Width"
          unit="m"
          min={1}
          value={d.width}
          set={width => change({ width })}
          hint="the whole width, half to each side"
        />
      )}
      <Points d={d} />
      <Tags
        label="Tags"
        value={d.properties.tags ?? []}
        set={tags => change({ properties: { ...d.properties, tags } })}
      />
      <Colours d={d} />
      {areaOf(d) > 0 && <p class="hint">Area {area(areaOf(d))}</p>}
      <p class="actions">
        <button type="submit" class="primary" disabled={lacks !== ''}>
          Save
        </button>
        <button type="button" onClick={end}>
          Cancel
        </button>
        {d.id && <Delete d={d} />}
      </p>
    </form>
  )
}

async function store(d: Draft): Promise<Fence> {
  const body = feature(d)
  const type = 'application/geo+json'
  if (!d.id) return (await call('geofences', { method: 'POST', body, type })).json()
  const headers = d.etag ? { 'If-Match': d.etag } : undefined
  return (await call(`geofences/${seg(d.id)}`, { method: 'PUT', body, type, headers })).json()
}

function guide(d: Draft, lacks: string): string {
  if (pen.value === 'hole') return 'Click the corners of the hole; click the first one again to close it.'
  if (pen.value === 'outline') {
    const how = {
      circle: 'Click the middle, then the edge',
      polygon: 'Click the corners; click the first one again to close',
      corridor: 'Click along the route; click the last point again to end',
      tripwire: 'Click where the line begins and ends; click the end again',
    }
    return `${how[d.shape]}. Without a mouse: go to the map, move it with the arrows, press Enter for each point.`
  }
  return lacks || 'Drag corners on the map, or change the numbers. Delete removes a corner that is chosen.'
}

function Faults({ problem }: { problem: Problem }) {
  if (problem.status === 412)
    return (
      <div class="faults" role="alert">
        <p>
          Somebody else has changed this fence meanwhile. Cancel, look at their version, and make your change again.
        </p>
      </div>
    )
  return (
    <div class="faults" role="alert">
      <p>{problem.faults.length ? 'This cannot be saved:' : problem.message}</p>
      <ul>
        {problem.faults.map(f => (
          <li key={f.field + f.message}>
            {f.field && <b>{f.field}: </b>}
            {f.message}
          </li>
        ))}
      </ul>
    </div>
  )
}

function shortcuts(e: KeyboardEvent): void {
  if (!(e.ctrlKey || e.metaKey)) return
  const typing = e.target instanceof HTMLInputElement && e.target.type !== 'number'
  if (typing) return
  if (e.key === 'z' && !e.shiftKey) undo()
  else if (e.key === 'y' || (e.key === 'z' && e.shiftKey)) redo()
  else return
  e.preventDefault()
}

const ringName = (d: Draft, part: number, line: number): string => {
  if (d.shape === 'circle') return 'Middle'
  const which = d.parts.length > 1 ? ` ${part + 1}` : ''
  if (d.shape !== 'polygon') return `Line${which}`
  return line === 0 ? `Outline${which}` : `Hole ${line}${which && ` of outline${which}`}`
}

/** Every corner with its coordinates, for the keyboard and for exact places. */
function Points({ d }: { d: Draft }) {
  const total = d.parts.reduce((n, p) => n + p.reduce((m, l) => m + l.length, 0), 0)
  const many = total > 200
  return (
    <details class="points" open={total <= 12}>
      <summary>{d.shape === 'circle' ? 'Middle' : `Points (${total})`}</summary>
      {many ? (
        <p class="hint">Too many to list; change them on the map.</p>
      ) : (
        d.parts.map((part, pi) =>
          part.map((line, li) => (
            <fieldset key={`${pi}.${li}`}>
              <legend>{ringName(d, pi, li)}</legend>
              {line.map((p, i) => (
                <Point
                  key={i}
                  at={p}
                  name={`${ringName(d, pi, li)} point ${i + 1}`}
                  set={q => setPoint(pi, li, i, q)}
                />
              ))}
            </fieldset>
          )),
        )
      )}
      <p class="actions">
        <button type="button" onClick={() => addPoint(view.value.centre().map(round7) as LonLat)}>
          <Icon name="plus" />
          {d.shape === 'circle' ? 'Middle of the map' : 'Point in the middle of the map'}
        </button>
        {d.shape !== 'circle' && (
          <button
            type="button"
            aria-pressed={pen.value === 'outline'}
            onClick={() => {
              pen.value = 'outline'
            }}
          >
            <Icon name={d.shape} />
            Draw {d.parts.length > 0 ? 'another part' : ''}
          </button>
        )}
        {d.shape === 'polygon' && d.parts.length > 0 && (
          <button
            type="button"
            aria-pressed={pen.value === 'hole'}
            onClick={() => {
              pen.value = 'hole'
            }}
          >
            <Icon name="hole" />
            Cut a hole
          </button>
        )}
        {d.shape === 'polygon' && d.parts.length > 0 && (
          <button
            type="button"
            onClick={() => {
              pen.value = 'none'
              beginHole()
            }}
          >
            Type a hole
          </button>
        )}
      </p>
    </details>
  )
}

function Point({ at, name, set }: { at: LonLat; name: string; set: (p: LonLat | undefined) => void }) {
  const read =
    (axis: 0 | 1) =>
    (e: Event): void => {
      const v = (e.currentTarget as HTMLInputElement).valueAsNumber
      if (!Number.isFinite(v)) return
      const next: LonLat = [at[0], at[1]]
      next[axis] = v
      set(next)
    }
  return (
    <div class="point">
      <input
        type="number"
        step="any"
        min={-90}
        max={90}
        aria-label={`${name}, latitude`}
        title="latitude"
        value={round7(at[1])}
        onChange={read(1)}
      />
      <input
        type="number"
        step="any"
        min={-180}
        max={180}
        aria-label={`${name}, longitude`}
        title="longitude"
        value={round7(at[0])}
        onChange={read(0)}
      />
      <button type="button" class="quiet" aria-label={`Remove ${name}`} onClick={() => set(undefined)}>
        <Icon name="close" />
      </button>
    </div>
  )
}

function Colours({ d }: { d: Draft }) {
  const now = colourOf(d.id || 'new', d.properties.color)
  return (
    <fieldset class="colours">
      <legend>Colour</legend>
      {palette.map((c, i) => (
        <label key={c}>
          <input
            type="radio"
            name="colour"
            checked={c === now}
            onChange={() => change({ properties: { ...d.properties, color: c } })}
          />
          <i class="swatch" ref={paint(c)} />
          <span class="hidden">Colour {i + 1}</span>
        </label>
      ))}
    </fieldset>
  )
}

function Delete({ d }: { d: Draft }) {
  const [sure, setSure] = useState(false)
  const remove = (): void =>
    void attempt(async () => {
      await call(`geofences/${seg(d.id)}`, { method: 'DELETE', headers: d.etag ? { 'If-Match': d.etag } : undefined })
      dropFence(d.id)
      chosen.value = { vehicle: '', fence: '' }
      end()
      say('Deleted. Nobody is told of a fence that went away.')
    })
  if (!sure)
    return (
      <button type="button" class="danger" onClick={() => setSure(true)}>
        Delete …
      </button>
    )
  return (
    <button type="button" class="danger" onClick={remove}>
      Really delete
    </button>
  )
}
