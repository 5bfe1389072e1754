import { describe, expect, it } from 'vitest'
import { EventParser } from '../live'
import { unwrap } from '../map/basemap'
import { merged } from '../state'
import { parseMetrics } from '../views/health'

describe('event stream', () => {
  it('is read in any pieces', () => {
    const text =
      ': hello\n\nid: 7\nevent: crossing\ndata: {"a":\ndata: 1}\n\nevent:fix\r\ndata:x\r\n\r\nevent: none\n\n'
    for (let cut = 1; cut < text.length; cut++) {
      const p = new EventParser()
      const found = [...p.feed(text.slice(0, cut)), ...p.feed(text.slice(cut))]
      expect(found).toEqual([
        { id: '7', event: 'crossing', data: '{"a":\n1}' },
        { event: 'fix', data: 'x' },
      ])
    }
  })
})

describe('records', () => {
  it('are replaced in place or put in front', () => {
    expect(
      merged(
        [
          { id: 'b', n: 1 },
          { id: 'a', n: 1 },
        ],
        [
          { id: 'c', n: 2 },
          { id: 'a', n: 2 },
        ],
      ),
    ).toEqual([
      { id: 'c', n: 2 },
      { id: 'b', n: 1 },
      { id: 'a', n: 2 },
    ])
  })
})

describe('metrics', () => {
  it('are read without histograms', () => {
    expect(parseMetrics('# HELP x y\nx_total{reason="a b"} 3\nx_bucket{le="1"} 4\ny 1e3\n')).toEqual([
      { name: 'x_total', labels: 'reason="a b"', value: 3 },
      { name: 'y', labels: '', value: 1000 },
    ])
  })
})

describe('countries', () => {
  it('go on beyond the 180° meridian, and around a pole', () => {
    const fiji = [
      [179, -17],
      [-179, -17],
      [-179, -16],
      [179, -16],
      [179, -17],
    ]
    unwrap(fiji)
    expect(fiji.map(p => p[0])).toEqual([179, 181, 181, 179, 179])
    const antarctica = [
      [-170, -70],
      [-60, -70],
      [60, -70],
      [170, -70],
      [-170, -70],
    ]
    unwrap(antarctica)
    expect(antarctica.slice(3)).toEqual([
      [170, -70],
      [190, -70],
      [190, -85.06],
      [-170, -85.06],
      [-170, -70],
    ])
  })
})
