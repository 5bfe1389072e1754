import type { ExpressionSpecification, GeoJSONSource, Map as GLMap } from 'maplibre-gl'
import type { LonLat } from '../lib/geo'
import type { Fix, Vehicle } from '../types'

const empty: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

/** After so many milliseconds without a fix a vehicle is shown as silent. */
export const silentAfter = 10 * 60_000

export type VehicleState = 'moving' | 'standing' | 'silent'

export function stateOf(v: Vehicle, now: number): VehicleState {
  const fix = v.last_fix
  if (!fix || now - new Date(fix.t).getTime() > silentAfter) return 'silent'
  return (fix.spd ?? 0) > 1 ? 'moving' : 'standing'
}

const colours: Record<VehicleState, string> = { moving: '#0b6e5f', standing: '#345b8c', silent: '#7a7f85' }

/** An arrow that points north, or a dot, on a white rim. */
function icon(colour: string, arrow: boolean): ImageData {
  const size = 44
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = size
  const c = canvas.getContext('2d')!
  c.translate(size / 2, size / 2)
  c.beginPath()
  if (arrow) {
    c.moveTo(0, -18)
    c.lineTo(13, 15)
    c.lineTo(0, 8)
    c.lineTo(-13, 15)
    c.closePath()
  } else c.arc(0, 0, 11, 0, 2 * Math.PI)
  c.lineJoin = 'round'
  c.lineWidth = 7
  c.strokeStyle = '#ffffff'
  c.stroke()
  c.fillStyle = colour
  c.fill()
  return c.getImageData(0, 0, size, size)
}

export function addVehicleLayers(map: GLMap): void {
  for (const [state, colour] of Object.entries(colours)) {
    map.addImage(`arrow-${state}`, icon(colour, true), { pixelRatio: 2 })
    map.addImage(`dot-${state}`, icon(colour, false), { pixelRatio: 2 })
  }
  map.addSource('trails', { type: 'geojson', data: empty, tolerance: 0 })
  map.addSource('vehicles', {
    type: 'geojson',
    data: empty,
    promoteId: 'id',
    cluster: true,
    clusterMaxZoom: 12,
    clusterRadius: 36,
    clusterMinPoints: 6,
  })
  map.addLayer({
    id: 'trail',
    type: 'line',
    source: 'trails',
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': '#0b6e5f', 'line-opacity': ['get', 'opacity'], 'line-width': 3 },
  })
  map.addLayer({
    id: 'vehicle-cluster',
    type: 'circle',
    source: 'vehicles',
    filter: ['has', 'point_count'],
    paint: {
      'circle-color': '#0b6e5f',
      'circle-stroke-color': '#ffffff',
      'circle-stroke-width': 2,
      'circle-radius': ['step', ['get', 'point_count'], 14, 50, 18, 500, 24],
    },
  })
  map.addLayer({
    id: 'vehicle-count',
    type: 'symbol',
    source: 'vehicles',
    filter: ['has', 'point_count'],
    layout: { 'text-field': ['get', 'point_count_abbreviated'], 'text-size': 12, 'text-allow-overlap': true },
    paint: { 'text-color': '#ffffff' },
  })
  map.addLayer({
    id: 'vehicle-chosen',
    type: 'circle',
    source: 'vehicles',
    filter: ['==', ['get', 'chosen'], true],
    paint: {
      'circle-radius': 18,
      'circle-color': '#0b6e5f',
      'circle-opacity': 0.2,
      'circle-stroke-color': '#0b6e5f',
      'circle-stroke-width': 2,
    },
  })
  map.addLayer({
    id: 'vehicle',
    type: 'symbol',
    source: 'vehicles',
    filter: ['!', ['has', 'point_count']] as unknown as ExpressionSpecification,
    layout: {
      'icon-image': ['get', 'icon'],
      'icon-rotate': ['get', 'heading'],
      'icon-rotation-alignment': 'map',
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
      'text-field': ['step', ['zoom'], '', 13, ['get', 'name']],
      'text-size': 12,
      'text-offset': [0, 1.4],
      'text-optional': true,
    },
    paint: {
      'text-color': [
        'case',
        ['==', ['global-state', 'dark'], true],
        '#e6edf2',
        '#1c2429',
      ] as unknown as ExpressionSpecification,
      'text-halo-color': [
        'case',
        ['==', ['global-state', 'dark'], true],
        '#10181f',
        '#ffffff',
      ] as unknown as ExpressionSpecification,
      'text-halo-width': 1.4,
    },
  })
}

/** How often all vehicles are looked at for those that have become silent, in milliseconds. */
const sweepEvery = 10_000

/** The vehicles on the map: of each update only what changed is given to it. */
export class Drawn {
  /** How often the map was given something, and how many vehicles in all. */
  updates = 0
  moves = 0
  private readonly map: Pick<GLMap, 'getSource'>
  private known = new Map<string, { v: Vehicle; chosen: boolean; state: VehicleState }>()
  private swept = 0

  constructor(map: Pick<GLMap, 'getSource'>) {
    this.map = map
  }

  /** How many are on the map: those whose place is known. */
  get size(): number {
    return this.known.size
  }

  show(vehicles: ReadonlyMap<string, Vehicle>, chosen: string, now: number): void {
    const sweep = now - this.swept >= sweepEvery
    if (sweep) this.swept = now
    const add: GeoJSON.Feature[] = []
    for (const [id, v] of vehicles) {
      if (!v.last_fix) continue
      const old = this.known.get(id)
      const isChosen = id === chosen
      if (old?.v === v && old.chosen === isChosen && !sweep) continue
      const state = stateOf(v, now)
      if (old?.v === v && old.chosen === isChosen && old.state === state) continue
      this.known.set(id, { v, chosen: isChosen, state })
      add.push(featureOf(v, v.last_fix, state, isChosen))
    }
    const remove: string[] = []
    if (this.known.size > vehicles.size) for (const id of this.known.keys()) if (!vehicles.has(id)) remove.push(id)
    for (const id of remove) this.known.delete(id)
    if (add.length + remove.length === 0) return
    this.updates++
    this.moves += add.length
    void this.map.getSource<GeoJSONSource>('vehicles')?.updateData({ add, remove })
  }
}

function featureOf(v: Vehicle, fix: Fix, state: VehicleState, chosen: boolean): GeoJSON.Feature {
  const arrow = state === 'moving' && fix.hdg !== undefined
  return {
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [fix.lon, fix.lat] },
    properties: {
      id: v.id,
      name: v.name || v.id,
      icon: `${arrow ? 'arrow' : 'dot'}-${state}`,
      heading: arrow ? fix.hdg : 0,
      chosen,
    },
  }
}

/** How many points the trails of all vehicles may have together, and how many each may have. */
const trailPoints = 300_000
const trailMost = 2000

/** Where vehicles were seen in this tab, newest last. */
export class Trails {
  private readonly lines = new Map<string, { fix: Fix; line: LonLat[] }>()
  private shown = 0

  note(vehicles: Iterable<Vehicle>): void {
    const most = Math.max(20, Math.min(trailMost, Math.floor(trailPoints / (this.lines.size + 1))))
    for (const v of vehicles) {
      const fix = v.last_fix
      if (!fix) continue
      const known = this.lines.get(v.id)
      if (!known) this.lines.set(v.id, { fix, line: [[fix.lon, fix.lat]] })
      else if (known.fix !== fix && known.fix.t < fix.t) {
        known.fix = fix
        known.line.push([fix.lon, fix.lat])
        if (known.line.length > most) known.line.splice(0, known.line.length - most)
      }
    }
  }

  /** Short tails of all while they are few, the whole way of the chosen one. */
  show(map: GLMap, chosen: string): void {
    const features: GeoJSON.Feature[] = []
    const ids = this.lines.size <= 300 ? this.lines.keys() : [chosen]
    for (const id of ids) {
      const line = this.lines.get(id)?.line ?? []
      const tail = id === chosen ? line : line.slice(-20)
      if (tail.length > 1) {
        features.push({
          type: 'Feature',
          geometry: { type: 'LineString', coordinates: tail },
          properties: { opacity: id === chosen ? 0.8 : 0.3 },
        })
      }
    }
    if (features.length + this.shown > 0)
      map.getSource<GeoJSONSource>('trails')?.setData({ type: 'FeatureCollection', features })
    this.shown = features.length
  }
}
