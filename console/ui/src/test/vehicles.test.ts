import { describe, expect, it } from 'vitest'
import { Drawn, silentAfter } from '../map/vehicles'
import type { Vehicle } from '../types'

const now = Date.parse('2026-11-27T12:00:00Z')
const at = (id: string, seconds: number, spd = 10): Vehicle => ({
  id,
  claimed: true,
  last_fix: {
    t: new Date(now + seconds * 1000).toISOString(),
    received: '',
    lat: 48,
    lon: 11 + seconds / 1000,
    spd,
    hdg: 90,
  },
})

/** A map that keeps what it is given. */
function canvas() {
  const given: { add: string[]; remove: string[] }[] = []
  const source = {
    updateData: (d: { add: GeoJSON.Feature[]; remove: string[] }) => {
      given.push({ add: d.add.map(f => `${f.properties!.id} ${f.properties!.icon}`), remove: d.remove })
    },
  }
  return { given, map: { getSource: () => source } as unknown as ConstructorParameters<typeof Drawn>[0] }
}

describe('vehicles on the map', () => {
  it('are given to it when they change, and only those', () => {
    const { given, map } = canvas()
    const drawn = new Drawn(map)
    const all = new Map([at('a', 0), at('b', 0), { id: 'unheard', claimed: true }].map(v => [v.id, v]))
    drawn.show(all, '', now)
    drawn.show(all, '', now + 1000)
    drawn.show(new Map(all).set('b', at('b', 1, 0)), '', now + 2000)
    expect(given).toEqual([
      { add: ['a arrow-moving', 'b arrow-moving'], remove: [] },
      { add: ['b dot-standing'], remove: [] },
    ])
    expect([drawn.size, drawn.updates, drawn.moves]).toEqual([2, 2, 3])
  })
  it('are given again when they are chosen, fall silent or are gone', () => {
    const { given, map } = canvas()
    const drawn = new Drawn(map)
    const all = new Map([at('a', 0), at('b', 60)].map(v => [v.id, v]))
    drawn.show(all, '', now)
    drawn.show(all, 'b', now + 1000)
    drawn.show(all, 'b', now + silentAfter + 30_000)
    all.delete('b')
    drawn.show(all, 'b', now + silentAfter + 31_000)
    expect(given.slice(1)).toEqual([
      { add: ['b arrow-moving'], remove: [] },
      { add: ['a dot-silent'], remove: [] },
      { add: [], remove: ['b'] },
    ])
  })
})
