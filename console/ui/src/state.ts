import { computed, signal } from '@preact/signals'
import { all, get } from './api'
import type { Crossing, Delivery, Fence, List, Owner, Page, Vehicle } from './types'

// What the console knows. Views read these signals; only this file and live.ts write them.

export const fences = signal<Map<string, Fence>>(new Map())
export const vehicles = signal<Map<string, Vehicle>>(new Map())
export const owners = signal<Owner[]>([])
export const pages = signal<Page[]>([])
export const crossings = signal<Crossing[]>([])
export const deliveries = signal<Delivery[]>([])

/** Whether the first load is over: before it, an empty list says nothing. */
export const loaded = signal(false)

/** How the live feed is doing. */
export const feed = signal<'connecting' | 'live' | 'lost'>('connecting')

/** Ticks every second, for ages. */
export const tick = signal(Date.now())
setInterval(() => {
  if (!document.hidden) tick.value = Date.now()
}, 1000)

/** How many vehicles were seen that nobody registered. */
export const unclaimed = computed(() => {
  let n = 0
  for (const v of vehicles.value.values()) if (!v.claimed) n++
  return n
})

export const vehicleName = (id: string): string => vehicles.value.get(id)?.name || id
export const fenceName = (id: string): string => fences.value.get(id)?.properties.name || id
export const ownerName = (id: string): string => owners.value.find(o => o.id === id)?.name || id

export interface Toast {
  id: number
  text: string
  bad: boolean
}
export const toasts = signal<Toast[]>([])
let lastToast = 0

/** Shows a sentence for a while; screen readers hear it. */
export function say(text: string, bad = false): void {
  const id = ++lastToast
  toasts.value = [...toasts.value.slice(-3), { id, text, bad }]
  setTimeout(() => dismiss(id), bad ? 12_000 : 5_000)
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter(t => t.id !== id)
}

/** Runs what may be refused, and says why it was. */
export async function attempt<T>(what: () => Promise<T>): Promise<T | undefined> {
  try {
    return await what()
  } catch (cause) {
    say(cause instanceof Error ? cause.message : String(cause), true)
    return undefined
  }
}

export const recordLimit = 500

/** Loads everything anew. */
export async function load(): Promise<void> {
  const [f, v, o, p, c, d] = await Promise.all([
    all<Fence>('geofences', 'features'),
    all<Vehicle>('vehicles', 'items'),
    all<Owner>('owners', 'items'),
    all<Page>('pages', 'items'),
    get<List<Crossing>>('crossings?limit=200'),
    get<List<Delivery>>('deliveries?limit=200'),
  ])
  fences.value = new Map(f.map(x => [x.id, x]))
  vehicles.value = new Map(v.map(x => [x.id, x]))
  owners.value = o
  pages.value = p
  crossings.value = c.items ?? []
  deliveries.value = d.items ?? []
  loaded.value = true
}

export function forget(): void {
  loaded.value = false
  fences.value = new Map()
  vehicles.value = new Map()
  owners.value = []
  pages.value = []
  crossings.value = []
  deliveries.value = []
}

export function putFence(f: Fence): void {
  const next = new Map(fences.value)
  next.set(f.id, f)
  fences.value = next
}

export function dropFence(id: string): void {
  const next = new Map(fences.value)
  next.delete(id)
  fences.value = next
}

export function putVehicle(v: Vehicle): void {
  const next = new Map(vehicles.value)
  next.set(v.id, { ...next.get(v.id), ...v })
  vehicles.value = next
}

/** Puts records in front of a list, newest first, replacing those it has. */
export function merged<T extends { id: string }>(list: T[], news: T[]): T[] {
  if (news.length === 0) return list
  const fresh = new Map(news.map(n => [n.id, n]))
  const kept = list.map(x => {
    const n = fresh.get(x.id)
    if (n) fresh.delete(x.id)
    return n ?? x
  })
  return [...fresh.values(), ...kept].slice(0, recordLimit)
}
