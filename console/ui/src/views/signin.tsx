import { useEffect, useState } from 'preact/hooks'
import { Text } from '../parts/form'
import { signedOutBecause, signIn, ways, whose } from '../session'

export function SignIn() {
  const [name, setName] = useState('')
  const [key, setKey] = useState('')
  const [tenant, setTenant] = useState('')
  const [fault, setFault] = useState('')
  const [busy, setBusy] = useState(false)
  const [provider, setProvider] = useState('')
  useEffect(() => {
    ways().then(w => setProvider(w.oidc ?? ''))
  }, [])
  const enter = async (e: Event): Promise<void> => {
    e.preventDefault()
    setBusy(true)
    const person = name.trim()
    const answer = await (person
      ? fetch('/api/v1/session', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ user: person, password: key }),
        })
      : whose(key.trim(), tenant.trim())
    ).catch(() => undefined)
    setBusy(false)
    if (answer?.ok) signIn(person ? '' : key.trim(), person ? '' : tenant.trim(), await answer.json())
    else if (answer?.status === 401 && !person) setFault('This is not a key of this gateway.')
    else
      setFault(
        answer
          ? ((await answer.json().catch(() => ({}))).detail ?? `The gateway answered with ${answer.status}.`)
          : 'The gateway does not answer.',
      )
  }
  return (
    <main class="signin">
      <form onSubmit={enter}>
        <div class="brand">
          <img src="./icon.svg" alt="" width="40" height="40" />
          <h1>Outrider</h1>
        </div>
        {signedOutBecause.value && <p role="status">{signedOutBecause.value}</p>}
        {provider && (
          <p>
            <a class="button" href="/auth/oidc/">
              Sign in with {provider}
            </a>
          </p>
        )}
        <Text label="Name" value={name} set={setName} hint="Leave it empty to sign in with an API key." />
        <Text
          label={name.trim() ? 'Password' : 'API key'}
          type="password"
          value={key}
          set={setKey}
          required
          fault={fault}
          hint={
            name.trim() ? undefined : (
              <>
                The first start of the gateway printed one; it is in <code>admin.key</code> of its data directory.
              </>
            )
          }
        />
        {!name.trim() && (
          <Text label="Tenant" value={tenant} set={setTenant} placeholder="default" hint="Only if there are several." />
        )}
        <button type="submit" class="primary" disabled={busy || !key.trim()}>
          {busy ? 'One moment …' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
