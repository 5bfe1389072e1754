// What the API speaks, as in /openapi.json. Only what the console uses is named here.

export interface Fix {
  t: string
  lat: number
  lon: number
  acc?: number
  spd?: number
  hdg?: number
  alt?: number
  hdop?: number
  batt?: number
  ign?: boolean
  received: string
}

export interface Vehicle {
  id: string
  name?: string
  owners?: string[]
  tags?: string[]
  device?: string
  claimed: boolean
  last_fix?: Fix
  warnings?: string[]
}

export interface Contact {
  page: string
  psid: string
}

export interface Owner {
  id: string
  name?: string
  locale?: string
  time_zone?: string
  contacts?: Contact[]
  has_fallback?: boolean
  fallback?: string
  warnings?: string[]
}

export interface Page {
  id: string
  name?: string
  has_token?: boolean
  access_token?: string
  tag?: string
  templates?: Record<string, string>
  routes?: string[]
  warnings?: string[]
}

export type Shape = 'circle' | 'polygon' | 'corridor' | 'tripwire'

export interface FenceProperties {
  name?: string
  shape?: Shape
  radius_m?: number
  width_m?: number
  tags?: string[]
  rules?: Record<string, unknown>
  color?: string
  [own: string]: unknown
}

export interface Fence {
  type: 'Feature'
  id: string
  properties: FenceProperties
  geometry: GeoJSON.Point | GeoJSON.Polygon | GeoJSON.MultiPolygon | GeoJSON.LineString | GeoJSON.MultiLineString
  warnings?: string[]
}

export interface Crossing {
  id: string
  vehicle: string
  fence: string
  fence_name?: string
  kind: string
  at: string
  lat: number
  lon: number
  confidence: number
  why?: string
  late: boolean
  received: string
}

export interface Delivery {
  id: string
  vehicle: string
  vehicle_name?: string
  owner: string
  page: string
  psid?: string
  fence: string
  fence_name?: string
  kind: string
  event?: string
  at: string
  state: string
  route?: string
  reason?: string
  detail?: string
  attempts: number
  created: string
  next_at?: string
  sent_at?: string
  delivered_at?: string
  read_at?: string
  message_id?: string
  trace?: TraceStep[]
}

export interface TraceStep {
  at?: string
  [key: string]: unknown
}

export interface DeadLetter {
  vehicle?: string
  topic: string
  reason: string
  field?: string
  detail?: string
  payload?: string
  payload_base64?: string
  size: number
  received: string
}

export interface List<T> {
  items: T[]
  next?: string
}

export interface FenceList {
  features: Fence[]
  next?: string
}

/** A problem document (RFC 9457) as the API writes it. */
export interface ProblemBody {
  title?: string
  status?: number
  detail?: string
  errors?: { location?: string; message?: string; value?: unknown }[]
}

export interface Selection {
  ids?: string[]
  tags?: string[]
}

export interface Hours {
  days?: string[]
  from: string
  to: string
}

export interface Rule {
  id: string
  made: boolean
  updated?: string
  name?: string
  disabled?: boolean
  vehicles?: Selection
  geofences?: Selection
  events: string[]
  schedule?: { time_zone?: string; windows?: Hours[]; except?: string[]; icalendar?: string; except_icalendar?: string }
  to?: { not_vehicle_owners?: boolean; owners?: string[] }
  min_confidence?: number
  preset?: 'strict' | 'balanced' | 'calm'
  dwell_s?: number
  speed_limit_kmh?: number
  speed_for_s?: number
  stopped_s?: number
  silent_s?: number
  cooldown_s?: number
  quiet_hours?: { from: string; to: string }
  priority?: 'normal' | 'high'
  max_age_s?: number
  text?: string
}

export interface Outcome {
  at: string
  vehicle: string
  fence: string
  kind: string
  owner: string
  reason?: string
}

export interface Trial {
  from: string
  to: string
  fixes: number
  crossings: number
  partial: boolean
  alerts: number
  people: Record<string, number>
  silenced: Record<string, number>
  outcomes: Outcome[]
}

export interface Explained extends Crossing {
  rules: { rule: string; name?: string; miss?: string; to?: string[]; changed?: string }[]
  deliveries: Delivery[]
}

export interface Explanation {
  vehicle: string
  last_fix?: Fix
  refused: { received: string; detail: string }[]
  crossings: Explained[]
  notes: string[]
}

export interface Imported {
  index: number
  line?: number
  id?: string
  name?: string
  field?: string
  fault?: string
  repairs?: string[]
}

export interface ImportReport {
  read: number
  good: number
  repaired: number
  refused: number
  stored: number
  findings: Imported[]
}

export type Role = 'viewer' | 'operator' | 'admin'

/** Who calls: a key, a person, or the bootstrap key, which has neither id. */
export interface Self {
  tenant: string
  role: Role
  key?: string
  person?: string
  name?: string
}

export interface ApiKey {
  id: string
  name?: string
  role: Role
  expires?: string
  created: string
  last_used?: string
  key?: string
}

export interface User {
  id: string
  name?: string
  role: Role
  has_password: boolean
  disabled: boolean
  created: string
  last_used?: string
}

export interface AuditEntry {
  seq: number
  at: string
  actor?: string
  name?: string
  operation: string
  target: string
  request: string
  status: number
  before?: unknown
  after?: unknown
}
