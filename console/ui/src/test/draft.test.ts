import { beforeEach, describe, expect, it } from 'vitest'
import {
  addPoint,
  areaOf,
  begin,
  beginHole,
  blank,
  canRedo,
  canUndo,
  change,
  draft,
  draftOf,
  end,
  feature,
  missing,
  redo,
  setPoint,
  undo,
} from '../draft'
import type { Fence } from '../types'

const square: Fence = {
  type: 'Feature',
  id: 'yard',
  properties: { name: 'Yard', shape: 'polygon', own: 7 },
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [0, 0],
        [0.01, 0],
        [0.01, 0.01],
        [0, 0.01],
        [0, 0],
      ],
      [
        [0.004, 0.004],
        [0.004, 0.006],
        [0.006, 0.006],
        [0.004, 0.004],
      ],
    ],
  },
}

describe('draft', () => {
  beforeEach(end)

  it('gives back a fence as it was', () => {
    expect(feature(draftOf(square, '"1"'))).toEqual(square)
    const multi: Fence = {
      ...square,
      geometry: {
        type: 'MultiPolygon',
        coordinates: [
          (square.geometry as GeoJSON.Polygon).coordinates,
          [
            [
              [1, 1],
              [2, 1],
              [2, 2],
              [1, 1],
            ],
          ],
        ],
      },
    }
    expect(feature(draftOf(multi, ''))).toEqual(multi)
    const lines: Fence = {
      type: 'Feature',
      id: 'way',
      properties: { shape: 'corridor', width_m: 40 },
      geometry: {
        type: 'MultiLineString',
        coordinates: [
          [
            [0, 0],
            [1, 1],
          ],
          [
            [2, 2],
            [3, 3],
          ],
        ],
      },
    }
    expect(feature(draftOf(lines, ''))).toEqual(lines)
    const circle: Fence = {
      type: 'Feature',
      id: 'c',
      properties: { shape: 'circle', radius_m: 80 },
      geometry: { type: 'Point', coordinates: [5, 6] },
    }
    expect(feature(draftOf(circle, ''))).toEqual(circle)
  })

  it('is typed point by point, with a hole', () => {
    begin(blank('polygon'))
    expect(missing(draft.value!)).not.toBe('')
    for (const p of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ] as [number, number][])
      addPoint(p)
    beginHole()
    for (const p of [
      [0.2, 0.2],
      [0.4, 0.2],
      [0.4, 0.4],
    ] as [number, number][])
      addPoint(p)
    expect(missing(draft.value!)).toBe('')
    expect(feature(draft.value!).geometry).toEqual({
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
          [0, 0],
        ],
        [
          [0.2, 0.2],
          [0.4, 0.2],
          [0.4, 0.4],
          [0.2, 0.2],
        ],
      ],
    })
  })

  it('can be undone and done again', () => {
    begin(blank('circle'))
    addPoint([1, 2])
    change({ radius: 300 })
    undo()
    expect(draft.value!.radius).toBe(150)
    undo()
    expect(draft.value!.parts).toEqual([])
    expect(canUndo.value).toBe(false)
    redo()
    redo()
    expect(draft.value!.radius).toBe(300)
    expect(canRedo.value).toBe(false)
    undo()
    change({ radius: 5 })
    expect(canRedo.value).toBe(false)
  })

  it('loses a hole with its last corner', () => {
    begin(draftOf(square, ''))
    for (let i = 0; i < 3; i++) setPoint(0, 1, 0, undefined)
    expect(draft.value!.parts[0].length).toBe(1)
  })

  it('knows its area without the hole', () => {
    const d = draftOf(square, '')
    const whole = areaOf({ ...d, parts: [[d.parts[0][0]]] })
    expect(whole / (1113.2 * 1105.7)).toBeCloseTo(1, 2)
    expect(areaOf(d)).toBeLessThan(whole)
  })
})
