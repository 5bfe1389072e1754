import { signal } from '@preact/signals'

/** Who is signed in. The key lives in this tab only: closing it forgets it. */
export class Session {
  readonly key: string
  readonly tenant: string

  constructor(key: string, tenant: string) {
    this.key = key
    this.tenant = tenant
  }

  get signedIn(): boolean {
    return this.key !== ''
  }

  headers(): Record<string, string> {
    if (!this.signedIn) return {}
    const h: Record<string, string> = { Authorization: `Bearer ${this.key}` }
    if (this.tenant) h['Outrider-Tenant'] = this.tenant
    return h
  }
}

const keyName = 'outrider.key'
const tenantName = 'outrider.tenant'

export const session = signal(
  new Session(sessionStorage.getItem(keyName) ?? '', sessionStorage.getItem(tenantName) ?? ''),
)

/** Why the sign-in page is shown, when it is not the first visit. */
export const signedOutBecause = signal('')

export function signIn(key: string, tenant: string): void {
  sessionStorage.setItem(keyName, key)
  sessionStorage.setItem(tenantName, tenant)
  signedOutBecause.value = ''
  session.value = new Session(key, tenant)
}

export function signOut(because = ''): void {
  sessionStorage.removeItem(keyName)
  sessionStorage.removeItem(tenantName)
  signedOutBecause.value = because
  session.value = new Session('', '')
}

export function switchTenant(tenant: string): void {
  signIn(session.value.key, tenant)
}
