import { addProtocol, type LayerSpecification, type StyleSpecification } from 'maplibre-gl'
import { PMTiles, Protocol, TileType } from 'pmtiles'

// A PMTiles archive of the operator's, read from the gateway a range of bytes at a time. Pictures are shown as they are;
// vector tiles are drawn when their layers are called as in the Protomaps basemap.

/** What is known of an archive before the map is made. */
export interface Archive {
  url: string
  vector: boolean
}

let protocol: Protocol | undefined

/** Opens an archive, or says why that cannot be done. */
export async function openArchive(path: string): Promise<Archive> {
  if (!protocol) {
    protocol = new Protocol()
    addProtocol('pmtiles', protocol.tile)
  }
  const url = new URL(path, location.href).href
  const archive = new PMTiles(url)
  protocol.add(archive)
  const header = await archive.getHeader()
  return { url: `pmtiles://${url}`, vector: header.tileType === TileType.Mvt }
}

interface Colours {
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

/** Adds an archive to a style, above the countries. */
export function addArchive(style: StyleSpecification, archive: Archive, attribution: string, c: Colours): void {
  if (!archive.vector) {
    style.sources.archive = { type: 'raster', url: archive.url, tileSize: 256, attribution }
    style.layers.push({ id: 'archive', type: 'raster', source: 'archive' })
    return
  }
  style.sources.archive = { type: 'vector', url: archive.url, attribution }
  const fill = (id: string, layer: string, colour: string): LayerSpecification => ({
    id,
    type: 'fill',
    source: 'archive',
    'source-layer': layer,
    paint: { 'fill-color': colour },
  })
  const road = (id: string, kinds: string[], colour: string, narrow: number, broad: number): LayerSpecification => ({
    id,
    type: 'line',
    source: 'archive',
    'source-layer': 'roads',
    filter: ['in', ['get', 'kind'], ['literal', kinds]],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: {
      'line-color': colour,
      'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 6, narrow, 18, broad],
    },
  })
  const green: LayerSpecification = {
    ...(fill('archive-green', 'landuse', c.green) as Extract<LayerSpecification, { type: 'fill' }>),
    filter: [
      'in',
      ['get', 'kind'],
      ['literal', ['park', 'nature_reserve', 'forest', 'wood', 'national_park', 'grass', 'cemetery', 'golf_course']],
    ],
  }
  style.layers.push(
    fill('archive-earth', 'earth', c.land),
    green,
    fill('archive-water', 'water', c.sea),
    fill('archive-buildings', 'buildings', c.building),
    road('archive-small-casing', ['minor_road', 'path', 'other'], c.casing, 0, 14),
    road('archive-big-casing', ['highway', 'major_road'], c.casing, 0.8, 26),
    road('archive-small', ['minor_road', 'path', 'other'], c.street, 0, 11),
    road('archive-big', ['highway', 'major_road'], c.street, 0.4, 22),
    {
      id: 'archive-borders',
      type: 'line',
      source: 'archive',
      'source-layer': 'boundaries',
      paint: { 'line-color': c.border, 'line-width': 0.8 },
    },
    {
      id: 'archive-places',
      type: 'symbol',
      source: 'archive',
      'source-layer': 'places',
      layout: {
        'text-field': ['get', 'name'],
        'text-size': ['interpolate', ['linear'], ['zoom'], 4, 11, 14, 15],
        'symbol-sort-key': ['coalesce', ['get', 'min_zoom'], 20],
      },
      paint: { 'text-color': c.text, 'text-halo-color': c.halo, 'text-halo-width': 1.2 },
    },
  )
}
