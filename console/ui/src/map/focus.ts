import { signal } from '@preact/signals'
import type { LonLat } from '../lib/geo'

/** What is chosen on the map and in the lists: at most one of the two. */
export const chosen = signal({ vehicle: '', fence: '' })

/** A place to look at: west, south, east, north. */
export interface Frame {
  box: [number, number, number, number]
  maxZoom?: number
}

/** Where the map is asked to go; a new object each time. */
export const frame = signal<Frame | undefined>(undefined)

/** What the forms may ask the map. */
export const view = signal<{ centre: () => LonLat }>({ centre: () => [0, 0] })
