import type { Map as GLMap } from 'maplibre-gl'
import {
  type GeoJSONStoreFeatures,
  type HexColor,
  TerraDraw,
  TerraDrawCircleMode,
  TerraDrawLineStringMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
} from 'terra-draw'
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter'
import { change, type Draft, draft, pen } from '../draft'
import { circleOf, circleRing, distance, type LonLat, pointsOf } from '../lib/geo'
import { fences } from '../state'

// Terra Draw is the pen and nothing more: what it draws becomes the draft, and the draft becomes its features. It
// knows no holes, so that outlines and holes are polygons of their own in it, joined again in the draft.

const ink = '#d55e00' as HexColor
const looks = { fillColor: ink, outlineColor: ink, outlineWidth: 3, fillOpacity: 0.15 }
const lineLooks = { lineStringColor: ink, lineStringWidth: 3 }

interface Piece {
  part: number
  line: number
}

export class Pen {
  private readonly draw: TerraDraw
  private readonly map: GLMap
  private pieces = new Map<string | number, Piece>()
  private quiet = false
  private mine: Draft | undefined // the draft that the pen itself made last

  constructor(map: GLMap) {
    this.map = map
    const snapping = { toCustom: this.snap, toCoordinate: true }
    const corners = { midpoints: true, draggable: true, deletable: true, snappable: snapping }
    this.draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: 9 }),
      modes: [
        new TerraDrawPolygonMode({ snapping, styles: looks, showCoordinatePoints: true }),
        new TerraDrawLineStringMode({ snapping, styles: lineLooks, showCoordinatePoints: true }),
        new TerraDrawCircleMode({ styles: looks, segments: 96 }),
        new TerraDrawSelectMode({
          allowManualDeselection: false,
          flags: {
            polygon: { feature: { draggable: true, coordinates: corners } },
            linestring: { feature: { draggable: true, coordinates: corners } },
            circle: {
              feature: {
                draggable: true,
                coordinates: { midpoints: false, draggable: false, resizable: 'center-fixed' },
              },
            },
          },
          styles: {
            selectedPolygonColor: ink,
            selectedPolygonOutlineColor: ink,
            selectedPolygonOutlineWidth: 3,
            selectedPolygonFillOpacity: 0.15,
            selectedLineStringColor: ink,
            selectedLineStringWidth: 3,
            selectionPointColor: '#ffffff' as HexColor,
            selectionPointOutlineColor: ink,
            selectionPointOutlineWidth: 3,
            selectionPointWidth: 6,
            midPointColor: ink,
            midPointWidth: 4,
            midPointOutlineColor: '#ffffff' as HexColor,
            midPointOutlineWidth: 1,
          },
        }),
      ],
    })
    this.draw.on('finish', (id, context) => this.finished(id, context.action))
  }

  start(): void {
    if (!this.draw.enabled) this.draw.start()
  }

  stop(): void {
    if (!this.draw.enabled) return
    this.draw.clear()
    this.draw.stop()
    this.pieces.clear()
    this.mine = undefined
  }

  /** Shows the draft, unless the pen made it so itself. */
  show(d: Draft): void {
    if (d === this.mine && pen.value === 'none' && this.draw.getMode() === 'select') return
    this.quiet = true
    this.draw.clear()
    this.pieces.clear()
    if (pen.value === 'none') {
      this.draw.setMode('select')
      this.place(d)
    } else {
      this.place(d)
      this.draw.setMode(
        pen.value === 'hole' || d.shape === 'polygon' ? 'polygon' : d.shape === 'circle' ? 'circle' : 'linestring',
      )
    }
    this.quiet = false
  }

  private place(d: Draft): void {
    let last: string | number | undefined
    for (const [part, lines] of d.parts.entries()) {
      for (const [line, points] of lines.entries()) {
        const f = featureOf(d, points)
        if (!f) continue
        const [made] = this.draw.addFeatures([f])
        if (!made?.valid || made.id === undefined) continue
        this.pieces.set(made.id, { part, line })
        last ??= made.id
      }
    }
    if (last !== undefined && pen.value === 'none') this.draw.selectFeature(last)
  }

  private finished(id: string | number, action: string): void {
    const d = draft.value
    const f = this.draw.getSnapshotFeature(id)
    if (this.quiet || !d || !f) return
    const points = pointsOf(f.geometry as GeoJSON.Geometry)
    if (action === 'draw') this.drawn(d, f, points)
    else this.dragged(d, id, points)
  }

  /** A new piece was drawn. */
  private drawn(d: Draft, f: GeoJSONStoreFeatures, points: LonLat[]): void {
    const hole = pen.value === 'hole'
    pen.value = 'none'
    if (d.shape === 'circle') {
      const { centre, radius } = circleOf(points)
      change({ parts: [[[centre]]], radius: Math.round(radius) })
    } else if (f.geometry.type === 'Polygon') {
      const ring = points.slice(0, -1)
      const parts = structuredClone(d.parts)
      if (hole && parts.length > 0) parts[holder(parts, ring[0])].push(ring)
      else parts.push([ring])
      change({ parts })
    } else change({ parts: [...d.parts, [points]] })
  }

  /** A corner or the whole of a piece was moved. */
  private dragged(d: Draft, id: string | number, points: LonLat[]): void {
    const piece = this.pieces.get(id)
    if (!piece) return
    if (d.shape === 'circle') {
      const { centre, radius } = circleOf(points)
      const same = Math.abs(radius - d.radius) < Math.max(0.5, d.radius * 0.002)
      change({ parts: [[[centre]]], radius: same ? d.radius : Math.round(radius) })
    } else {
      const parts = structuredClone(d.parts)
      parts[piece.part][piece.line] = d.shape === 'polygon' ? points.slice(0, -1) : points
      change({ parts })
    }
    this.mine = draft.value
  }

  /** The corner of another fence within twelve pixels of the pointer. */
  private readonly snap = (event: { lng: number; lat: number }): [number, number] | undefined => {
    const at = this.map.project([event.lng, event.lat])
    const reach = distance([event.lng, event.lat], this.map.unproject([at.x + 12, at.y]).toArray() as LonLat)
    const degrees = reach / 50_000
    let best: LonLat | undefined
    let nearest = reach
    for (const f of fences.value.values()) {
      if (f.id === draft.value?.id) continue
      for (const p of pointsOf(f.geometry)) {
        if (Math.abs(p[1] - event.lat) > degrees) continue
        const d = distance(p, [event.lng, event.lat])
        if (d < nearest) [best, nearest] = [p, d]
      }
    }
    return best
  }
}

function featureOf(d: Draft, points: LonLat[]): GeoJSONStoreFeatures | undefined {
  const round = (p: LonLat): LonLat => [Math.round(p[0] * 1e9) / 1e9, Math.round(p[1] * 1e9) / 1e9]
  if (d.shape === 'circle') {
    if (points.length === 0) return undefined
    const ring = circleRing(points[0], Math.max(1, d.radius)).map(round)
    return {
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: [ring] },
      properties: { mode: 'circle', radiusKilometers: d.radius / 1000 },
    }
  }
  if (d.shape === 'polygon') {
    if (points.length < 3) return undefined
    return {
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: [[...points, points[0]].map(round)] },
      properties: { mode: 'polygon' },
    }
  }
  if (points.length < 2) return undefined
  return {
    type: 'Feature',
    geometry: { type: 'LineString', coordinates: points.map(round) },
    properties: { mode: 'linestring' },
  }
}

/** The part whose outline holds a point, else the last. */
function holder(parts: LonLat[][][], p: LonLat): number {
  const found = parts.findIndex(([ring]) => within(ring, p))
  return found >= 0 ? found : parts.length - 1
}

function within(ring: LonLat[], p: LonLat): boolean {
  let inside = false
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [a, b] = [ring[i], ring[j]]
    if (a[1] > p[1] !== b[1] > p[1] && p[0] < ((b[0] - a[0]) * (p[1] - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside
  }
  return inside
}
