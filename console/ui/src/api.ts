import { session, shut } from './session'
import type { ImportReport, ProblemBody } from './types'

/** What the API answered instead of doing it. Its message is for people. */
export class Problem extends Error {
  readonly status: number
  readonly faults: { field: string; message: string }[]
  /** Of an import that was refused: what was found in the file. */
  readonly report?: ImportReport

  constructor(status: number, body: ProblemBody) {
    super(body.detail || body.title || `the gateway answered with ${status}`)
    this.status = status
    if ('findings' in body) this.report = body as unknown as ImportReport
    this.faults = (body.errors ?? []).map(e => ({
      field: (e.location ?? '').replace(/^body\.?/, ''),
      message: e.message ?? '',
    }))
  }
}

export interface Call {
  method?: string
  body?: unknown
  type?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Asks the gateway. A path begins behind /api/v1/. Rejects with a Problem. */
export async function call(path: string, o: Call = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...session.value.headers(), ...o.headers }
  let body: BodyInit | undefined
  if (o.body instanceof Blob || typeof o.body === 'string') {
    body = o.body
    headers['Content-Type'] = o.type ?? 'application/json'
  } else if (o.body !== undefined) {
    body = JSON.stringify(o.body)
    headers['Content-Type'] = o.type ?? 'application/json'
  }
  let answer: Response
  try {
    answer = await fetch(`/api/v1/${path}`, { method: o.method ?? 'GET', headers, body, signal: o.signal })
  } catch (cause) {
    if (o.signal?.aborted) throw cause
    throw new Problem(0, { detail: 'The gateway does not answer. It is asked again in a moment.' })
  }
  if (answer.ok) return answer
  const problem = new Problem(answer.status, await answer.json().catch(() => ({})))
  if (answer.status === 401 && session.value.signedIn) shut('Your access has ended: sign in again.')
  throw problem
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await call(path, { signal })).json()
}

export async function put<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<T> {
  return (await call(path, { method: 'PUT', body, headers })).json()
}

export async function post<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<T> {
  return (await call(path, { method: 'POST', body, headers })).json()
}

export async function patch<T>(path: string, body: unknown): Promise<T> {
  return (await call(path, { method: 'PATCH', body })).json()
}

export async function remove(path: string, headers?: Record<string, string>): Promise<void> {
  await call(path, { method: 'DELETE', headers })
}

/** One path segment: ids may hold slashes. */
export const seg = encodeURIComponent

/** Every page of a list, up to a limit that protects the browser. */
export async function all<T>(path: string, member: string, most = 50_000): Promise<T[]> {
  const found: T[] = []
  let cursor = ''
  do {
    const sep = path.includes('?') ? '&' : '?'
    const page = await get<Record<string, unknown>>(
      `${path}${sep}limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
    )
    found.push(...((page[member] as T[] | undefined) ?? []))
    cursor = (page.next as string | undefined) ?? ''
  } while (cursor && found.length < most)
  return found
}
