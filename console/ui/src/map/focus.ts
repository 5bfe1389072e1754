import { signal } from '@preact/signals'
import type { LonLat } from '../lib/geo'

/** What is chosen on the map and in the lists: at most one of the two. */
export const chosen = signal({ vehicle: '', fence: '' })

/** Where the map is asked to go; a new object each time. */
export const frame = signal<{ box: [number, number, number, number]; maxZoom?: number; jump?: boolean } | undefined>(
  undefined,
)

/** What the forms may ask the map. */
export const view = signal<{ centre: () => LonLat }>({ centre: () => [0, 0] })
