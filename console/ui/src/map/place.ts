import { say } from '../state'
import { type Archive, openArchive } from './archive'

/** What the operator laid under the map: /console/map.json. */
export interface Place {
  /** Raster tiles of a server, {z}/{x}/{y}; the operator's choice, off by default. */
  tiles?: string
  /** A tile archive that the gateway serves. */
  pmtiles?: string
  /** The archive, once it is open. */
  archive?: Archive
  /** Streets as GeoJSON, such as the demo city's. */
  streets?: string
  attribution?: string
}

export async function loadPlace(): Promise<Place> {
  let place: Place
  try {
    const answer = await fetch('/console/map.json')
    place = answer.ok ? await answer.json() : {}
  } catch {
    return {}
  }
  if (place.pmtiles) {
    try {
      place.archive = await openArchive(place.pmtiles)
    } catch (e) {
      say(`The map archive (console.pmtiles) cannot be read: ${e instanceof Error ? e.message : e}`, true)
    }
  }
  return place
}
