import { computed, signal } from '@preact/signals'
import { circleRing, type LonLat, ringArea, round7 } from './lib/geo'
import type { Fence, FenceProperties, Shape } from './types'

// The fence being drawn or edited: one immutable value and its history. The mouse, the keyboard and the number
// fields all write here, and the map shows it.

export interface Draft {
  /** Empty: a new fence. */
  id: string
  etag: string
  shape: Shape
  /** A circle has one point; a corridor or tripwire one line a part; a polygon rings, the first of a part outside. */
  parts: LonLat[][][]
  radius: number
  width: number
  properties: FenceProperties
}

const history = signal<{ past: Draft[]; now: Draft | undefined; future: Draft[] }>({
  past: [],
  now: undefined,
  future: [],
})

export const draft = computed(() => history.value.now)
export const canUndo = computed(() => history.value.past.length > 0)
export const canRedo = computed(() => history.value.future.length > 0)

/** What the mouse draws next: a new outline, a hole, or nothing, when corners can be dragged. */
export const pen = signal<'outline' | 'hole' | 'none'>('none')

export const blank = (shape: Shape): Draft => ({
  id: '',
  etag: '',
  shape,
  parts: [],
  radius: 150,
  width: 60,
  properties: { name: '', tags: [] },
})

export function begin(d: Draft): void {
  history.value = { past: [], now: d, future: [] }
  pen.value = d.parts.length === 0 ? 'outline' : 'none'
}

export function end(): void {
  history.value = { past: [], now: undefined, future: [] }
  pen.value = 'none'
}

/** Changes the draft; the state before can be had again with undo. */
export function change(part: Partial<Draft>): void {
  const h = history.value
  if (!h.now) return
  history.value = { past: [...h.past.slice(-99), h.now], now: { ...h.now, ...part }, future: [] }
}

export function undo(): void {
  const h = history.value
  const before = h.past.at(-1)
  if (before && h.now) history.value = { past: h.past.slice(0, -1), now: before, future: [h.now, ...h.future] }
}

export function redo(): void {
  const h = history.value
  const [after, ...rest] = h.future
  if (after && h.now) history.value = { past: [...h.past, h.now], now: after, future: rest }
}

/** The draft of a fence that exists. */
export function draftOf(f: Fence, etag: string): Draft {
  const p = f.properties
  const shape: Shape =
    p.shape ?? (f.geometry.type === 'Point' ? 'circle' : f.geometry.type.includes('Polygon') ? 'polygon' : 'corridor')
  return {
    id: f.id,
    etag,
    shape,
    parts: partsOf(f),
    radius: p.radius_m ?? 150,
    width: p.width_m ?? 60,
    properties: { ...p },
  }
}

function partsOf(f: Fence): LonLat[][][] {
  const g = f.geometry
  switch (g.type) {
    case 'Point':
      return [[[g.coordinates as LonLat]]]
    case 'LineString':
      return [[g.coordinates as LonLat[]]]
    case 'MultiLineString':
      return g.coordinates.map(l => [l as LonLat[]])
    case 'Polygon':
      return [g.coordinates.map(open)]
    case 'MultiPolygon':
      return g.coordinates.map(rings => rings.map(open))
  }
}

/** A ring without its repeated last point: corners are easier to edit so. */
const open = (ring: number[][]): LonLat[] => ring.slice(0, -1) as LonLat[]
const close = (ring: LonLat[]): LonLat[] => (ring.length > 0 ? [...ring, ring[0]] : ring)
const rounded = (line: LonLat[]): LonLat[] => line.map(p => [round7(p[0]), round7(p[1])])

/** What is missing before the draft can be saved, as a sentence; empty: nothing. */
export function missing(d: Draft): string {
  const line = d.parts[0]?.[0] ?? []
  if (d.shape === 'circle') {
    if (line.length === 0) return 'Click where the middle of the circle is, or type its coordinates.'
    return d.radius > 0 ? '' : 'A radius is more than 0 m.'
  }
  if (d.shape === 'polygon') return line.length >= 3 ? '' : 'A polygon has at least three corners.'
  if (line.length < 2) return 'A line has at least two points.'
  return d.shape === 'corridor' && !(d.width > 0) ? 'A width is more than 0 m.' : ''
}

/** The draft as the API takes it. */
export function feature(d: Draft): Omit<Fence, 'id'> & { id?: string } {
  const properties: FenceProperties = { ...d.properties, shape: d.shape }
  delete properties.radius_m
  delete properties.width_m
  if (!properties.name) delete properties.name
  if (d.shape === 'circle') properties.radius_m = d.radius
  if (d.shape === 'corridor') properties.width_m = d.width
  return { type: 'Feature', ...(d.id ? { id: d.id } : {}), properties, geometry: geometry(d) }
}

function geometry(d: Draft): Fence['geometry'] {
  const parts = d.parts.map(part => part.map(rounded))
  switch (d.shape) {
    case 'circle':
      return { type: 'Point', coordinates: parts[0][0][0] }
    case 'polygon': {
      const closed = parts.map(rings => rings.map(close))
      return closed.length === 1
        ? { type: 'Polygon', coordinates: closed[0] }
        : { type: 'MultiPolygon', coordinates: closed }
    }
    default:
      return parts.length === 1
        ? { type: 'LineString', coordinates: parts[0][0] }
        : { type: 'MultiLineString', coordinates: parts.map(p => p[0]) }
  }
}

/** Geometry to show a fence with: circles become rings. */
export function shown(f: { properties: FenceProperties; geometry: GeoJSON.Geometry }): GeoJSON.Geometry {
  if (f.geometry.type !== 'Point') return f.geometry
  const ring = circleRing(f.geometry.coordinates as LonLat, f.properties.radius_m ?? 1)
  return { type: 'Polygon', coordinates: [ring] }
}

/** Square metres inside, holes taken out; 0 for lines. */
export function areaOf(d: Draft): number {
  if (d.shape === 'circle') return Math.PI * d.radius * d.radius
  if (d.shape !== 'polygon') return 0
  let sum = 0
  for (const [outer, ...holes] of d.parts) {
    sum += ringArea(close(outer ?? []))
    for (const h of holes) sum -= ringArea(close(h))
  }
  return Math.max(0, sum)
}

/** Adds a point at the end of the line that is being typed or tapped. */
export function addPoint(p: LonLat): void {
  const d = draft.value
  if (!d) return
  if (d.shape === 'circle') {
    change({ parts: [[[p]]] })
    return
  }
  const parts = d.parts.length > 0 ? structuredClone(d.parts) : [[[]]]
  const last = parts[parts.length - 1]
  last[last.length - 1].push(p)
  change({ parts })
}

/** Begins a hole in the last part, for points that follow. */
export function beginHole(): void {
  const d = draft.value
  if (d?.shape !== 'polygon' || d.parts.length === 0) return
  const parts = structuredClone(d.parts)
  parts[parts.length - 1].push([])
  change({ parts })
}

export function setPoint(part: number, line: number, i: number, p: LonLat | undefined): void {
  const d = draft.value
  if (!d) return
  const parts = structuredClone(d.parts)
  if (p) parts[part][line][i] = p
  else parts[part][line].splice(i, 1)
  if (parts[part][line].length === 0) parts[part].splice(line, 1)
  if (parts[part].length === 0) parts.splice(part, 1)
  change({ parts })
}
