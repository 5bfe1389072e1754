/** What the operator laid under the map: /console/map.json. */
export interface Place {
  /** Raster tiles of a server, {z}/{x}/{y}; the operator's choice, off by default. */
  tiles?: string
  /** A vector tile archive that the gateway serves. */
  pmtiles?: string
  /** Streets as GeoJSON, such as the demo city's. */
  streets?: string
  attribution?: string
}

export async function loadPlace(): Promise<Place> {
  try {
    const answer = await fetch('/console/map.json')
    return answer.ok ? await answer.json() : {}
  } catch {
    return {}
  }
}
