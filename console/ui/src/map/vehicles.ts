import type { ExpressionSpecification, GeoJSONSource, Map as GLMap } from 'maplibre-gl'
import type { LonLat } from '../lib/geo'
import type { Vehicle } from '../types'

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

/** Shows the vehicles whose place is known, and returns how many they are. */
export function showVehicles(map: GLMap, vehicles: Iterable<Vehicle>, chosen: string, now: number): number {
  const features: GeoJSON.Feature[] = []
  for (const v of vehicles) {
    if (!v.last_fix) continue
    const state = stateOf(v, now)
    const arrow = state === 'moving' && v.last_fix.hdg !== undefined
    features.push({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [v.last_fix.lon, v.last_fix.lat] },
      properties: {
        id: v.id,
        name: v.name || v.id,
        icon: `${arrow ? 'arrow' : 'dot'}-${state}`,
        heading: arrow ? v.last_fix.hdg : 0,
        chosen: v.id === chosen,
      },
    })
  }
  map.getSource<GeoJSONSource>('vehicles')?.setData({ type: 'FeatureCollection', features })
  return features.length
}

/** Where vehicles were seen in this tab, newest last. */
export class Trails {
  private readonly lines = new Map<string, { t: string; line: LonLat[] }>()

  note(vehicles: Iterable<Vehicle>, most: number): void {
    for (const v of vehicles) {
      const fix = v.last_fix
      if (!fix) continue
      const known = this.lines.get(v.id)
      if (!known) this.lines.set(v.id, { t: fix.t, line: [[fix.lon, fix.lat]] })
      else if (known.t < fix.t) {
        known.t = fix.t
        known.line.push([fix.lon, fix.lat])
        if (known.line.length > most) known.line.splice(0, known.line.length - most)
      }
    }
  }

  /** Short tails of all while they are few, the whole way of the chosen one. */
  show(map: GLMap, chosen: string): void {
    const features: GeoJSON.Feature[] = []
    const few = this.lines.size <= 300
    for (const [id, { line }] of this.lines) {
      if (id !== chosen && !few) continue
      const tail = id === chosen ? line : line.slice(-20)
      if (tail.length > 1) {
        features.push({
          type: 'Feature',
          geometry: { type: 'LineString', coordinates: tail },
          properties: { opacity: id === chosen ? 0.8 : 0.3 },
        })
      }
    }
    map.getSource<GeoJSONSource>('trails')?.setData({ type: 'FeatureCollection', features })
  }
}
