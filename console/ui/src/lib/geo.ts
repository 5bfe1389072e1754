// Geometry on WGS84 for drawing. What is inside and what is not is decided by the gateway, never here.

export type LonLat = [number, number]

const rad = Math.PI / 180

/** Metres in a degree of latitude and of longitude at a latitude, on the ellipsoid (series of the meridian arc). */
export function metresPerDegree(lat: number): { lat: number; lon: number } {
  const f = lat * rad
  return {
    lat: 111132.92 - 559.82 * Math.cos(2 * f) + 1.175 * Math.cos(4 * f),
    lon: Math.max(1e-6, 111412.84 * Math.cos(f) - 93.5 * Math.cos(3 * f) + 0.118 * Math.cos(5 * f)),
  }
}

/** Distance in metres, good to a thousandth below some hundred kilometres. */
export function distance(a: LonLat, b: LonLat): number {
  const m = metresPerDegree((a[1] + b[1]) / 2)
  const dx = (((b[0] - a[0] + 540) % 360) - 180) * m.lon
  return Math.hypot(dx, (b[1] - a[1]) * m.lat)
}

/** A closed ring around a centre, for showing a circle. */
export function circleRing(centre: LonLat, radius: number, corners = 96): LonLat[] {
  const m = metresPerDegree(centre[1])
  const ring: LonLat[] = []
  for (let i = 0; i < corners; i++) {
    const t = (2 * Math.PI * i) / corners
    ring.push([centre[0] + (radius * Math.cos(t)) / m.lon, centre[1] + (radius * Math.sin(t)) / m.lat])
  }
  ring.push(ring[0])
  return ring
}

/** Centre and radius of a ring that was drawn as a circle. */
export function circleOf(ring: LonLat[]): { centre: LonLat; radius: number } {
  const corners = ring.slice(0, -1)
  const centre: LonLat = [0, 0]
  for (const p of corners) {
    centre[0] += p[0] / corners.length
    centre[1] += p[1] / corners.length
  }
  let radius = 0
  for (const p of corners) radius += distance(centre, p) / corners.length
  return { centre, radius }
}

/** west, south, east, north; undefined of nothing. */
export function boundsOf(points: LonLat[]): [number, number, number, number] | undefined {
  if (points.length === 0) return undefined
  let [w, s] = points[0]
  let [e, n] = points[0]
  for (const [x, y] of points) {
    w = Math.min(w, x)
    e = Math.max(e, x)
    s = Math.min(s, y)
    n = Math.max(n, y)
  }
  return [w, s, e, n]
}

/** Every point of a geometry, without structure. */
export function pointsOf(g: GeoJSON.Geometry): LonLat[] {
  const found: LonLat[] = []
  const walk = (c: unknown): void => {
    if (!Array.isArray(c)) return
    if (typeof c[0] === 'number') found.push([c[0], c[1] as number])
    else for (const inner of c) walk(inner)
  }
  if (g.type !== 'GeometryCollection') walk(g.coordinates)
  return found
}

/** Rounds to a centimetre: more digits only pretend. */
export const round7 = (v: number): number => Math.round(v * 1e7) / 1e7

/** Area of a ring in square metres, on the local plane. */
export function ringArea(ring: LonLat[]): number {
  if (ring.length < 4) return 0
  const m = metresPerDegree(ring[0][1])
  let twice = 0
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax, ay] = [(ring[i][0] - ring[0][0]) * m.lon, (ring[i][1] - ring[0][1]) * m.lat]
    const [bx, by] = [(ring[i + 1][0] - ring[0][0]) * m.lon, (ring[i + 1][1] - ring[0][1]) * m.lat]
    twice += ax * by - bx * ay
  }
  return Math.abs(twice) / 2
}
