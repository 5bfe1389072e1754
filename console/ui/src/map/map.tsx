import { effect } from '@preact/signals'
import {
  AttributionControl,
  type GeoJSONSource,
  Map as GLMap,
  type MapMouseEvent,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import workerURL from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { useEffect, useRef } from 'preact/hooks'
import { addPoint, type Draft, draft, missing, pen } from '../draft'
import { boundsOf, type LonLat, pointsOf } from '../lib/geo'
import { fences, loaded, say, tick, vehicles } from '../state'
import { theme } from '../theme'
import { loadGround, style } from './basemap'
import { addFenceLayers, fenceLayers, showFences } from './fences'
import { chosen, type Frame, frame, view } from './focus'
import { Pen } from './pen'
import { loadPlace, type Place } from './place'
import { addVehicleLayers, Drawn, Trails } from './vehicles'

setWorkerUrl(workerURL)

/** The map. It is made once and stays while one goes elsewhere in the console. */
export function FleetMap() {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let gone = false
    let undo: (() => void) | undefined
    loadPlace().then(place => {
      if (!gone && box.current) undo = open(box.current, place)
    })
    return () => {
      gone = true
      undo?.()
    }
  }, [])
  return (
    <div
      class="map"
      ref={box}
      data-ready="false"
      role="application"
      aria-label="Map of vehicles and geofences. Arrow keys move it, plus and minus zoom."
    />
  )
}

function open(box: HTMLDivElement, place: Place): () => void {
  let map: GLMap
  try {
    map = new GLMap({
      container: box,
      style: style(theme.value, place),
      center: [10, 30],
      zoom: 1.5,
      attributionControl: false,
      fadeDuration: 0,
      maxZoom: 20,
      dragRotate: false,
      touchPitch: false,
    })
  } catch {
    say('This browser cannot draw the map (it lacks WebGL). Lists and forms work all the same.', true)
    return () => {}
  }
  map.touchZoomRotate.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right')
  map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-right')
  map.addControl(new AttributionControl({ compact: true, customAttribution: 'Natural Earth' }))
  const stops: (() => void)[] = []
  map.once('load', () => stops.push(...furnish(map, box, place)))
  return () => {
    for (const s of stops) s()
    map.remove()
  }
}

/** Puts everything on the map that changes, and keeps it so. */
function furnish(map: GLMap, box: HTMLDivElement, place: Place): (() => void)[] {
  loadGround().then(g => {
    map.getSource<GeoJSONSource>('land')?.setData(g.land)
    map.getSource<GeoJSONSource>('border')?.setData(g.border)
    map.getSource<GeoJSONSource>('labels')?.setData(g.labels)
  })
  if (place.streets) map.getSource<GeoJSONSource>('streets')?.setData(place.streets)
  addFenceLayers(map)
  addVehicleLayers(map)
  map.addSource('beginning', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } })
  map.addLayer({
    id: 'beginning',
    type: 'circle',
    source: 'beginning',
    paint: {
      'circle-radius': 6,
      'circle-color': '#ffffff',
      'circle-stroke-color': '#d55e00',
      'circle-stroke-width': 3,
    },
  })
  map.setGlobalStateProperty('dark', theme.value === 'dark')
  const pencil = new Pen(map)
  const trails = new Trails()
  const drawn = new Drawn(map)
  clicks(map)
  keys(map, box)
  map.on('movestart', () => {
    box.dataset.moving = 'true'
  })
  map.on('moveend', () => {
    box.dataset.moving = 'false'
    box.dataset.zoom = String(Math.round(map.getZoom()))
  })
  view.value = { centre: () => map.getCenter().toArray() as LonLat }
  let marked = ''
  return [
    effect(() => {
      const d = draft.value
      const drawing = pen.value // read, so that a new pen shows
      if (!d) {
        showBeginning(map)
        delete box.dataset.pen
        pencil.stop()
        return
      }
      pencil.start()
      pencil.show(d)
      showBeginning(map, d)
      box.dataset.pen = drawing
    }),
    effect(() => {
      showFences(map, fences.value.values(), draft.value?.id ?? '')
      box.dataset.fences = String(fences.value.size)
    }),
    effect(() => {
      if (marked) map.setFeatureState({ source: 'fences', id: marked }, { chosen: false })
      marked = chosen.value.fence
      if (marked) map.setFeatureState({ source: 'fences', id: marked }, { chosen: true })
    }),
    effect(() => {
      trails.note(vehicles.value.values())
      if (document.hidden) return
      drawn.show(vehicles.value, chosen.value.vehicle, tick.peek())
      trails.show(map, chosen.value.vehicle)
      box.dataset.vehicles = String(drawn.size)
      box.dataset.updates = String(drawn.updates)
      box.dataset.moves = String(drawn.moves)
    }),
    effect(() => {
      const f = frame.value
      if (f) look(map, box, f)
    }),
    firstLook(map, box),
    () => pencil.stop(),
  ]
}

/** Goes to a place: a point cannot be fitted, only gone to. */
function look(map: GLMap, box: HTMLDivElement, f: Frame): void {
  const [w, s, e, n] = f.box
  const maxZoom = f.maxZoom ?? 16
  const duration = calm() ? 0 : 600
  if (w === e && s === n) map.easeTo({ center: [w, s], zoom: Math.max(map.getZoom(), maxZoom), duration })
  else map.fitBounds(f.box, { padding: padding(box), maxZoom, duration })
}

/** The points of what is not a shape yet, so that those that are typed are seen. */
function showBeginning(map: GLMap, d?: Draft): void {
  const points = d && missing(d) ? d.parts.flat(2) : []
  const features: GeoJSON.Feature[] = points.map(p => ({
    type: 'Feature',
    geometry: { type: 'Point', coordinates: p },
    properties: {},
  }))
  map.getSource<GeoJSONSource>('beginning')?.setData({ type: 'FeatureCollection', features })
}

const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches
const padding = (box: HTMLDivElement): number => Math.min(60, box.clientWidth / 8, box.clientHeight / 8)

/** When everything is loaded the map goes where the fleet is; where there is none yet, to the first vehicles that are heard of. */
function firstLook(map: GLMap, box: HTMLDivElement): () => void {
  let done = false
  map.once('movestart', () => {
    done = true // somebody looks for themselves
  })
  return effect(() => {
    if (done || !loaded.value) return
    const points: LonLat[] = []
    for (const v of vehicles.value.values()) if (v.last_fix) points.push([v.last_fix.lon, v.last_fix.lat])
    if (!draft.peek()) for (const f of fences.peek().values()) points.push(...pointsOf(f.geometry))
    const bounds = boundsOf(points)
    if (bounds) map.fitBounds(bounds, { padding: padding(box), maxZoom: 15, duration: 0 })
    if (box.dataset.ready === 'true') return
    map.once('idle', () => {
      box.dataset.ready = 'true'
    })
    map.triggerRepaint()
  })
}

function clicks(map: GLMap): void {
  const layers = ['vehicle', 'vehicle-cluster', ...fenceLayers]
  map.on('click', (e: MapMouseEvent) => {
    if (draft.peek()) return
    const [hit] = map.queryRenderedFeatures(e.point, { layers })
    if (!hit) {
      chosen.value = { vehicle: '', fence: '' }
    } else if (hit.layer.id === 'vehicle-cluster') {
      map.easeTo({ center: (hit.geometry as GeoJSON.Point).coordinates as LonLat, zoom: map.getZoom() + 2 })
    } else if (hit.layer.id === 'vehicle') {
      chosen.value = { vehicle: String(hit.properties.id), fence: '' }
    } else chosen.value = { vehicle: '', fence: String(hit.properties.id) }
  })
  map.on('mousemove', e => {
    if (draft.peek()) return
    map.getCanvas().style.cursor = map.queryRenderedFeatures(e.point, { layers }).length ? 'pointer' : ''
  })
}

/** Drawing without a mouse: the arrows move the map under the cross hair, Enter puts a point there. */
function keys(map: GLMap, box: HTMLDivElement): void {
  map.getCanvas().addEventListener(
    'keydown',
    e => {
      if (!draft.peek() || e.key !== 'Enter') return
      e.preventDefault()
      e.stopPropagation()
      pen.value = 'none'
      addPoint(map.getCenter().toArray() as LonLat)
      box.dataset.points = String(draft.peek()!.parts.flat(2).length)
    },
    true,
  )
}
