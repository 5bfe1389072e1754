import type { ExpressionSpecification, GeoJSONSource, Map as GLMap } from 'maplibre-gl'
import { shown } from '../draft'
import { colourOf } from '../lib/colour'
import type { Fence } from '../types'

const empty: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

/** A line width that is so many metres on the ground, at the middle of the feature. */
const wide: ExpressionSpecification = [
  'interpolate',
  ['exponential', 2],
  ['zoom'],
  0,
  ['max', 0.4, ['get', 'px0']],
  22,
  ['max', 2, ['*', ['get', 'px0'], 4194304]],
] as unknown as ExpressionSpecification

/** Adds the layers that show fences, below the vehicles. */
export function addFenceLayers(map: GLMap): void {
  map.addSource('fences', { type: 'geojson', data: empty, promoteId: 'id', tolerance: 0.2 })
  const colour: ExpressionSpecification = ['get', 'color']
  const chosen: ExpressionSpecification = ['boolean', ['feature-state', 'chosen'], false]
  const isArea = ['==', ['geometry-type'], 'Polygon'] as unknown as ExpressionSpecification
  map.addLayer({
    id: 'fence-area',
    type: 'fill',
    source: 'fences',
    filter: isArea,
    paint: { 'fill-color': colour, 'fill-opacity': ['case', chosen, 0.32, 0.16] },
  })
  map.addLayer({
    id: 'fence-line',
    type: 'line',
    source: 'fences',
    filter: isArea,
    paint: { 'line-color': colour, 'line-width': ['case', chosen, 3.5, 2] },
  })
  map.addLayer({
    id: 'fence-corridor',
    type: 'line',
    source: 'fences',
    filter: ['==', ['get', 'shape'], 'corridor'],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': colour, 'line-opacity': ['case', chosen, 0.4, 0.22], 'line-width': wide },
  })
  map.addLayer({
    id: 'fence-middle',
    type: 'line',
    source: 'fences',
    filter: ['==', ['get', 'shape'], 'corridor'],
    paint: { 'line-color': colour, 'line-width': 1.5, 'line-dasharray': [2, 2] },
  })
  map.addLayer({
    id: 'fence-wire',
    type: 'line',
    source: 'fences',
    filter: ['==', ['get', 'shape'], 'tripwire'],
    paint: { 'line-color': colour, 'line-width': ['case', chosen, 5, 3] },
  })
  map.addLayer({
    id: 'fence-wire-way',
    type: 'symbol',
    source: 'fences',
    filter: ['==', ['get', 'shape'], 'tripwire'],
    layout: {
      'symbol-placement': 'line',
      'symbol-spacing': 60,
      'text-field': '▸',
      'text-size': 18,
      'text-keep-upright': false,
      'text-allow-overlap': true,
    },
    paint: { 'text-color': colour },
  })
  map.addLayer({
    id: 'fence-name',
    type: 'symbol',
    source: 'fences',
    minzoom: 10,
    layout: { 'text-field': ['get', 'name'], 'text-size': 13, 'symbol-placement': 'point', 'text-max-width': 8 },
    paint: {
      'text-color': colour,
      'text-halo-color': [
        'case',
        ['==', ['global-state', 'dark'], true],
        '#10181f',
        '#ffffff',
      ] as unknown as ExpressionSpecification,
      'text-halo-width': 1.6,
    },
  })
}

export const fenceLayers = ['fence-area', 'fence-line', 'fence-corridor', 'fence-wire']

const earth = 78271.516964 // metres a pixel at zoom 0 on the equator, 512 px tiles

/** A fence as the map shows it. */
export function mapped(f: Fence): GeoJSON.Feature {
  const p = f.properties
  const geometry = shown(f)
  let px0 = 0
  if (p.shape === 'corridor') {
    const line =
      geometry.type === 'LineString' ? geometry.coordinates : (geometry as GeoJSON.MultiLineString).coordinates[0]
    px0 = (p.width_m ?? 1) / (earth * Math.cos((line[0][1] * Math.PI) / 180))
  }
  return {
    type: 'Feature',
    geometry,
    properties: { id: f.id, name: p.name ?? f.id, shape: p.shape, color: colourOf(f.id, p.color), px0 },
  }
}

export function showFences(map: GLMap, fences: Iterable<Fence>, except: string): void {
  const features: GeoJSON.Feature[] = []
  for (const f of fences) if (f.id !== except) features.push(mapped(f))
  map.getSource<GeoJSONSource>('fences')?.setData({ type: 'FeatureCollection', features })
}
