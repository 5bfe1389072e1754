import { useState } from 'preact/hooks'
import { call, post } from '../api'
import { Text } from '../parts/form'
import { Refusal, useSave } from '../parts/save'
import { session, shut } from '../session'
import { attempt } from '../state'

/** Whoever is signed in: what they may, their password, their sessions. */
export function You() {
  const me = session.value.me
  if (!me) return null
  return (
    <section class="sheet" aria-label="You">
      <header class="sheethead">
        <h1>{session.value.person || 'A key is signed in'}</h1>
        <p class="hint">
          Role {me.role}, of the fleet “{me.tenant}”.{' '}
          {me.person ? `You sign in as ${me.person}.` : 'The key lives in this tab and is forgotten when it closes.'}
        </p>
      </header>
      {me.person ? (
        <div class="columns">
          <Password />
          <div class="box">
            <h2>Sessions</h2>
            <p class="hint">A lost phone, a computer you no longer use: end all of your sessions, this one too.</p>
            <p class="actions">
              <button
                type="button"
                class="danger"
                onClick={() =>
                  attempt(async () => {
                    await call('sessions', { method: 'DELETE' })
                    shut('You are signed out everywhere.')
                  })
                }
              >
                Sign out everywhere
              </button>
            </p>
          </div>
        </div>
      ) : (
        <p>Keys are made and revoked under Access by an admin.</p>
      )}
    </section>
  )
}

function Password() {
  const [current, setCurrent] = useState('')
  const [fresh, setFresh] = useState('')
  const [again, setAgain] = useState('')
  const differs = again !== '' && again !== fresh
  const { save, fault, problem } = useSave(async () => {
    await post('session/password', { current, new: fresh })
    setCurrent('')
    setFresh('')
    setAgain('')
    return { warnings: ['Your other sessions have ended.'] }
  })
  return (
    <form onSubmit={save} class="box password">
      <h2>Password</h2>
      <Refusal problem={problem} />
      <Text label="As it is now" type="password" value={current} set={setCurrent} fault={fault('current')} required />
      <Text
        label="New"
        type="password"
        value={fresh}
        set={setFresh}
        fault={fault('new')}
        hint="12 to 128 characters"
        required
      />
      <Text
        label="New, once more"
        type="password"
        value={again}
        set={setAgain}
        fault={differs ? 'This is another one.' : undefined}
        required
      />
      <p class="actions">
        <button type="submit" class="primary" disabled={!current || !fresh || again !== fresh}>
          Change
        </button>
      </p>
    </form>
  )
}
