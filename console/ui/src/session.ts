import { signal } from '@preact/signals'
import type { Self } from './types'

/**
 * Who is signed in: somebody with a key, which lives in this tab only and is forgotten when it closes, or a person,
 * whose session is in a cookie that scripts cannot read and every tab shares.
 */
export class Session {
  readonly key: string
  readonly tenant: string
  readonly me?: Self

  constructor(key: string, tenant: string, me?: Self) {
    this.key = key
    this.tenant = tenant
    this.me = me
  }

  get signedIn(): boolean {
    return this.me !== undefined
  }

  /** What a person is called; empty: a key is signed in. */
  get person(): string {
    return this.me?.person ? this.me.name || this.me.person : ''
  }

  /** The bootstrap key may act on every tenant. */
  get anyTenant(): boolean {
    return this.me !== undefined && !this.me.person && !this.me.key
  }

  headers(): Record<string, string> {
    if (!this.key) return {}
    const h: Record<string, string> = { Authorization: `Bearer ${this.key}` }
    if (this.tenant) h['Outrider-Tenant'] = this.tenant
    return h
  }
}

const keyName = 'outrider.key'
const tenantName = 'outrider.tenant'
/** Says to other tabs, and to the next visit, that a person signed in; the session itself is in the cookie. */
const personHint = 'outrider.person'

export const session = signal(new Session('', ''))

/** Whether it is known who is signed in; before, neither the console nor the sign-in page is right. */
export const asked = signal(false)

/** Why the sign-in page is shown, when it is not the first visit. */
export const signedOutBecause = signal('')

export function signIn(key: string, tenant: string, me: Self): void {
  sessionStorage.setItem(keyName, key)
  sessionStorage.setItem(tenantName, tenant)
  if (me.person) localStorage.setItem(personHint, 'yes')
  signedOutBecause.value = ''
  session.value = new Session(key, tenant, me)
}

/** Asks the gateway whose key, or whose session in a cookie, this is. */
export const whose = (key: string, tenant: string): Promise<Response> =>
  fetch('/api/v1/self', { headers: new Session(key, tenant).headers() })

/** How people may sign in besides: the name of the provider of single sign-on, if there is one. */
export const ways = (): Promise<{ oidc?: string }> =>
  fetch('/auth/ways')
    .then(a => (a.ok ? a.json() : {}))
    .catch(() => ({}))

/** What the gateway says when somebody comes back from the provider of single sign-on. */
const outcomes: Record<string, string> = {
  cancelled: 'The provider did not sign you in.',
  stale: 'That took too long, or was begun in another browser: try again.',
  unknown: 'The provider does not say who you are: ask your admin which claim it should send.',
  not_let_in: 'You are known to the provider, but nobody let you in here: ask your admin.',
  shut_out: 'An admin has shut you out.',
  unreachable: 'The provider cannot be asked at the moment: try again, or use your password.',
  failed: 'Signing in failed: the gateway’s log says why.',
}

/** Takes the outcome of a sign-on out of the address. */
function signedOn(): string {
  const at = new URL(location.href)
  const outcome = at.searchParams.get('signon') ?? ''
  if (outcome) {
    at.searchParams.delete('signon')
    history.replaceState(null, '', at)
  }
  return outcome
}

/** Goes on with the key of this tab or with the person whose session the browser has, as in a new tab. */
export async function resume(): Promise<void> {
  const key = sessionStorage.getItem(keyName) ?? ''
  const tenant = sessionStorage.getItem(tenantName) ?? ''
  const outcome = signedOn()
  if (!key && outcome !== 'done' && !localStorage.getItem(personHint)) {
    if (outcome) signedOutBecause.value = outcomes[outcome] ?? outcomes.failed
    asked.value = true
    return
  }
  const answer = await whose(key, tenant).catch(() => undefined)
  if (answer?.ok) signIn(key, tenant, await answer.json())
  else if (answer?.status !== 401) signedOutBecause.value = 'The gateway does not answer: try again in a moment.'
  else leave('Your access has ended: sign in again.')
  asked.value = true
}

function leave(because: string): void {
  sessionStorage.removeItem(keyName)
  sessionStorage.removeItem(tenantName)
  localStorage.removeItem(personHint)
  signedOutBecause.value = because
  session.value = new Session('', '')
}

/** Ends what is shown here. The session of a person goes on at the gateway until it is ended there. */
export const shut = leave

/** Ends the session here, and a person's at the gateway, too. */
export function signOut(): void {
  if (session.value.person) fetch('/api/v1/session', { method: 'DELETE' }).catch(() => undefined)
  leave('')
}

/** Acts on another tenant; a name that cannot be one is refused with the gateway's words. */
export async function switchTenant(tenant: string): Promise<string> {
  const answer = await whose(session.value.key, tenant).catch(() => undefined)
  if (answer?.ok) {
    signIn(session.value.key, tenant, await answer.json())
    return ''
  }
  return answer ? ((await answer.json().catch(() => ({}))).detail ?? '') : 'The gateway does not answer.'
}
