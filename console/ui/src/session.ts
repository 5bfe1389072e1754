import { signal } from '@preact/signals'

/**
 * Who is signed in: somebody with a key, which lives in this tab only and is forgotten when it closes, or a person,
 * whose session is in a cookie that scripts cannot read.
 */
export class Session {
  readonly key: string
  readonly tenant: string
  readonly person: string

  constructor(key: string, tenant: string, person = '') {
    this.key = key
    this.tenant = tenant
    this.person = person
  }

  get signedIn(): boolean {
    return this.key !== '' || this.person !== ''
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
const personName = 'outrider.person'

export const session = signal(
  new Session(
    sessionStorage.getItem(keyName) ?? '',
    sessionStorage.getItem(tenantName) ?? '',
    sessionStorage.getItem(personName) ?? '',
  ),
)

/** Why the sign-in page is shown, when it is not the first visit. */
export const signedOutBecause = signal('')

export function signIn(key: string, tenant: string, person = ''): void {
  sessionStorage.setItem(keyName, key)
  sessionStorage.setItem(tenantName, tenant)
  sessionStorage.setItem(personName, person)
  signedOutBecause.value = ''
  session.value = new Session(key, tenant, person)
}

/** Ends the session here, and a person's at the gateway, too. */
export function signOut(because = ''): void {
  if (session.value.person && !because) fetch('/api/v1/session', { method: 'DELETE' }).catch(() => undefined)
  sessionStorage.removeItem(keyName)
  sessionStorage.removeItem(tenantName)
  sessionStorage.removeItem(personName)
  signedOutBecause.value = because
  session.value = new Session('', '')
}

export function switchTenant(tenant: string): void {
  signIn(session.value.key, tenant)
}
