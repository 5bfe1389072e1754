import type { GeoJSONSourceSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'
import { feature, mesh } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import atlasURL from 'world-atlas/countries-50m.json?url'
import { addArchive } from './archive'
import type { Place } from './place'

// The ground under everything: Natural Earth's countries, which are part of the program, so that the map shows
// something without the internet. What the operator adds (a PMTiles file, tiles of a server) lies on top of it.

interface Look {
  sea: string
  land: string
  border: string
  text: string
  halo: string
  street: string
  casing: string
  green: string
  building: string
}

const looks: Record<'light' | 'dark', Look> = {
  light: {
    sea: '#d6e6ee',
    land: '#f6f4ee',
    border: '#b9b4a6',
    text: '#55524a',
    halo: '#ffffff',
    street: '#ffffff',
    casing: '#c9c3b2',
    green: '#e3ecd8',
    building: '#e6e2d8',
  },
  dark: {
    sea: '#10181f',
    land: '#1b2329',
    border: '#3d4a54',
    text: '#9fb0bc',
    halo: '#10181f',
    street: '#3b4954',
    casing: '#11171c',
    green: '#1c2a24',
    building: '#232c33',
  },
}

const none: GeoJSONSourceSpecification = { type: 'geojson', data: { type: 'FeatureCollection', features: [] } }

/** The style without anything of the fleet. */
export function style(theme: 'light' | 'dark', place: Place): StyleSpecification {
  const look = looks[theme]
  const layers: LayerSpecification[] = [
    { id: 'sea', type: 'background', paint: { 'background-color': look.sea } },
    { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': look.land, 'fill-antialias': true } },
    { id: 'border', type: 'line', source: 'border', paint: { 'line-color': look.border, 'line-width': 0.8 } },
  ]
  const style: StyleSpecification = {
    version: 8,
    sources: { land: none, border: none, labels: none, streets: none },
    layers,
  }
  if (place.archive) addArchive(style, place.archive, place.attribution ?? '', look)
  if (place.tiles) {
    style.sources.tiles = { type: 'raster', tiles: [place.tiles], tileSize: 256, attribution: place.attribution ?? '' }
    layers.push({ id: 'tiles', type: 'raster', source: 'tiles' })
  }
  layers.push(
    {
      id: 'streets-casing',
      type: 'line',
      source: 'streets',
      minzoom: 11,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': look.casing,
        'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 11, 1.5, 18, 20],
      },
    },
    {
      id: 'streets',
      type: 'line',
      source: 'streets',
      minzoom: 11,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': look.street,
        'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 11, 1, 18, 16],
      },
    },
    {
      id: 'countries',
      type: 'symbol',
      source: 'labels',
      maxzoom: 8,
      layout: {
        'text-field': ['get', 'name'],
        'text-size': ['interpolate', ['linear'], ['zoom'], 1, 10, 6, 15],
        'symbol-sort-key': ['-', ['get', 'area']],
      },
      paint: { 'text-color': look.text, 'text-halo-color': look.halo, 'text-halo-width': 1.2 },
    },
  )
  return style
}

export interface Ground {
  land: GeoJSON.FeatureCollection
  border: GeoJSON.Geometry
  labels: GeoJSON.FeatureCollection
}

let ground: Promise<Ground> | undefined

/** The countries, loaded once. */
export function loadGround(): Promise<Ground> {
  ground ??= fetch(atlasURL)
    .then(r => r.json() as Promise<Topology>)
    .then(prepare)
  return ground
}

function prepare(world: Topology): Ground {
  const countries = world.objects.countries as GeometryCollection<{ name: string }>
  const shapes = feature(world, countries)
  for (const f of shapes.features) unwrapAll(f.geometry)
  const border = mesh(world, countries, (a, b) => a !== b)
  unwrapAll(border)
  return {
    land: shapes,
    border,
    labels: { type: 'FeatureCollection', features: shapes.features.map(label) },
  }
}

/** The atlas is made for a globe: its rings step over the 180° meridian. On a flat map they go on beyond it. */
function unwrapAll(g: GeoJSON.Geometry): void {
  if (g?.type === 'Polygon') g.coordinates.forEach(unwrap)
  else if (g?.type === 'MultiPolygon') for (const rings of g.coordinates) rings.forEach(unwrap)
  else if (g?.type === 'MultiLineString') g.coordinates.forEach(unwrap)
}

/** Makes a line continuous; a ring around a pole is closed along it. */
export function unwrap(line: number[][]): void {
  let turn = 0
  for (let i = 1; i < line.length; i++) {
    const step = line[i][0] + turn - line[i - 1][0]
    if (step > 180) turn -= 360
    else if (step < -180) turn += 360
    if (turn) line[i] = [line[i][0] + turn, line[i][1]]
  }
  const [first, last] = [line[0], line[line.length - 1]]
  if (Math.abs(last[0] - first[0]) > 359) {
    const pole = first[1] < 0 ? -85.06 : 85.06
    line.push([last[0], pole], [first[0], pole], first)
  }
}

/** One label in the middle of a country's largest piece. */
function label(country: GeoJSON.Feature<GeoJSON.Geometry, { name: string }>): GeoJSON.Feature {
  let best = { area: -1, point: [0, 0] as number[] }
  const g = country.geometry
  const polygons = g?.type === 'MultiPolygon' ? g.coordinates : g?.type === 'Polygon' ? [g.coordinates] : []
  for (const [ring] of polygons) {
    let area = 0
    let x = 0
    let y = 0
    for (let i = 0; i + 1 < ring.length; i++) {
      const cross = ring[i][0] * ring[i + 1][1] - ring[i + 1][0] * ring[i][1]
      area += cross
      x += (ring[i][0] + ring[i + 1][0]) * cross
      y += (ring[i][1] + ring[i + 1][1]) * cross
    }
    if (Math.abs(area) > best.area) best = { area: Math.abs(area), point: [x / (3 * area), y / (3 * area)] }
  }
  return {
    type: 'Feature',
    geometry: { type: 'Point', coordinates: best.point },
    properties: { name: country.properties?.name, area: best.area },
  }
}
