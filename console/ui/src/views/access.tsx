import { useEffect, useState } from 'preact/hooks'
import { all, get, patch, post, remove, seg } from '../api'
import { age, exactly, when } from '../lib/format'
import { Choice, Text } from '../parts/form'
import { Refusal, useSave } from '../parts/save'
import { Sure } from '../parts/sure'
import { Table } from '../parts/table'
import { go, href, route } from '../router'
import { session, ways } from '../session'
import { attempt, say } from '../state'
import type { ApiKey, List, Role, User } from '../types'

const roles: { value: Role; label: string }[] = [
  { value: 'viewer', label: 'viewer: reads everything' },
  { value: 'operator', label: 'operator: also geofences, vehicles, owners, rules' },
  { value: 'admin', label: 'admin: everything of this fleet' },
]

/** Who may do what here: people who sign in, and keys for programs. */
export function Access() {
  if (route.value.id) return <OnePerson key={route.value.id} id={route.value.id} />
  return (
    <section class="sheet" aria-label="Access">
      <header class="sheethead">
        <h1>Access</h1>
        <p class="hint">
          People sign in here with a name and a password; programs use keys. What they change is under{' '}
          <a href={href('changes')}>Changes</a>.
        </p>
      </header>
      <People />
      <Keys />
    </section>
  )
}

function People() {
  const [people, setPeople] = useState<User[]>()
  const load = (): Promise<unknown> => attempt(async () => setPeople(await all<User>('users', 'items')))
  useEffect(() => {
    load()
  }, [])
  if (!people) return null
  return (
    <section aria-labelledby="people">
      <h2 id="people">People</h2>
      {people.length === 0 ? (
        <p class="hint">Nobody yet: only keys open this gateway. Let somebody in below.</p>
      ) : (
        <Table
          caption="People who sign in"
          rows={people}
          id={u => u.id}
          open={u => go('access', u.id)}
          columns={[
            {
              title: 'Person',
              cell: u => (
                <>
                  <b>{u.name || u.id}</b> {u.disabled && <em class="tag">shut out</em>}
                </>
              ),
            },
            { title: 'Signs in as', narrow: true, cell: u => u.id },
            { title: 'Role', cell: u => u.role },
            { title: 'Last signed in', narrow: true, cell: u => age(u.last_used) },
          ]}
        />
      )}
      <NewPerson made={load} />
    </section>
  )
}

/** A password nobody has to think of: five groups of letters and digits that are not mistaken for each other. */
function suggestion(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  const raw = crypto.getRandomValues(new Uint32Array(20))
  return [...raw].map((n, i) => (i && i % 4 === 0 ? '-' : '') + letters[n % letters.length]).join('')
}

function NewPerson({ made }: { made: () => void }) {
  const [id, setId] = useState('')
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('operator')
  const [password, setPassword] = useState('')
  const { save, fault, problem } = useSave(async () => {
    await post('users', { id, name, role, ...(password ? { password } : {}) })
    setId('')
    setName('')
    setPassword('')
    made()
    return { warnings: [`${name || id} may sign in.${password ? ' Tell them the password; they can change it.' : ''}`] }
  })
  const [provider, setProvider] = useState('')
  useEffect(() => {
    ways().then(w => setProvider(w.oidc ?? ''))
  }, [])
  return (
    <details class="box new-person">
      <summary>Let somebody in</summary>
      <form onSubmit={save} class="stack">
        <Refusal problem={problem} />
        <Text
          label="Signs in as"
          value={id}
          set={setId}
          fault={fault('id')}
          required
          placeholder="ann or ann@example.org"
        />
        <Text label="Name" value={name} set={setName} fault={fault('name')} placeholder="Ann Smith" />
        <Choice label="Role" value={role} set={v => setRole(v as Role)} options={roles} />
        <Password
          label="First password"
          value={password}
          set={setPassword}
          fault={fault('password')}
          hint={provider ? `12 to 128 characters; empty: with ${provider} only` : '12 to 128 characters'}
        />
        <p class="actions">
          <button type="submit" class="primary" disabled={!id.trim() || (!password && !provider)}>
            Let in
          </button>
        </p>
      </form>
    </details>
  )
}

interface PasswordProps {
  label: string
  value: string
  set: (v: string) => void
  fault?: string
  hint?: string
}

/** A password that an admin chooses for somebody, and so must be able to read. */
function Password(p: PasswordProps) {
  return (
    <div class="with-button">
      <Text label={p.label} value={p.value} set={p.set} fault={p.fault} hint={p.hint} />
      <button type="button" onClick={() => p.set(suggestion())}>
        Suggest
      </button>
    </div>
  )
}

function OnePerson({ id }: { id: string }) {
  const [person, setPerson] = useState<User>()
  useEffect(() => {
    attempt(async () => setPerson(await get<User>(`users/${seg(id)}`)))
  }, [id])
  if (!person) return null
  return (
    <section class="sheet" aria-label={`Person ${person.name || id}`}>
      <header class="sheethead">
        <p>
          <a href={href('access')}>Access</a> /
        </p>
        <h1>{person.name || id}</h1>
        <p class="hint">
          Signs in as {id}, let in {when(person.created)}, last signed in {age(person.last_used)}.
        </p>
      </header>
      <div class="columns">
        <PersonForm u={person} saved={setPerson} />
        <div class="box">
          <h2>Remove</h2>
          <p class="hint">Their sessions end at once. What they changed stays under their name in Changes.</p>
          {person.id === session.value.me?.person ? (
            <p>This is you: somebody else has to do it.</p>
          ) : (
            <Sure
              word="Remove"
              does={() =>
                attempt(async () => {
                  await remove(`users/${seg(id)}`)
                  say(`${person.name || id} is no longer let in.`)
                  go('access')
                })
              }
            />
          )}
        </div>
      </div>
    </section>
  )
}

function PersonForm({ u, saved }: { u: User; saved: (u: User) => void }) {
  const [name, setName] = useState(u.name ?? '')
  const [role, setRole] = useState<Role>(u.role)
  const [disabled, setDisabled] = useState(u.disabled)
  const [password, setPassword] = useState('')
  const { save, fault, problem } = useSave(async () => {
    saved(await patch<User>(`users/${seg(u.id)}`, { name, role, disabled, ...(password ? { password } : {}) }))
    setPassword('')
    return {}
  })
  return (
    <form onSubmit={save} class="box">
      <h2>Person</h2>
      <Refusal problem={problem} />
      <Text label="Name" value={name} set={setName} fault={fault('name')} />
      <Choice label="Role" value={role} set={v => setRole(v as Role)} options={roles} />
      <label class="check">
        <input type="checkbox" checked={disabled} onChange={e => setDisabled(e.currentTarget.checked)} /> shut out for
        now
      </label>
      <Password
        label="New password"
        value={password}
        set={setPassword}
        fault={fault('password')}
        hint="only to replace the one they have; their sessions end"
      />
      <p class="actions">
        <button type="submit" class="primary">
          Save
        </button>
      </p>
    </form>
  )
}

const lives = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'a year' },
  { value: '', label: 'until it is revoked' },
]

function Keys() {
  const [keys, setKeys] = useState<ApiKey[]>()
  const [made, setMade] = useState<ApiKey>()
  const load = (): Promise<unknown> => attempt(async () => setKeys((await get<List<ApiKey>>('keys')).items))
  useEffect(() => {
    load()
  }, [])
  if (!keys) return null
  const revoke = (k: ApiKey): Promise<unknown> =>
    attempt(async () => {
      await remove(`keys/${seg(k.id)}`)
      say(`The key ${k.name || k.id} opens nothing any more.`)
      if (made?.id === k.id) setMade(undefined)
      await load()
    })
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">API keys</h2>
      {keys.length === 0 ? (
        <p class="hint">None yet. Make one for each program, with the least role that it needs.</p>
      ) : (
        <Table
          caption="API keys"
          rows={keys}
          id={k => k.id}
          columns={[
            {
              title: 'Key',
              cell: k => (
                <>
                  <b>{k.name || k.id}</b> {k.expires && new Date(k.expires) < new Date() && <em class="tag">ended</em>}
                </>
              ),
            },
            { title: 'Role', cell: k => k.role },
            { title: 'Last used', narrow: true, cell: k => age(k.last_used) },
            { title: 'Ends', narrow: true, cell: k => (k.expires ? when(k.expires) : 'never') },
            { title: 'Revoke', cell: k => <Sure word="Revoke" to={k.name || k.id} does={() => revoke(k)} /> },
          ]}
        />
      )}
      {made?.key && <Made k={made} close={() => setMade(undefined)} />}
      <NewKey
        made={k => {
          setMade(k)
          load()
        }}
      />
    </section>
  )
}

/** The key itself: the only time that anybody sees it. */
function Made({ k, close }: { k: ApiKey; close: () => void }) {
  const copy = (): Promise<unknown> =>
    attempt(async () => {
      await navigator.clipboard.writeText(k.key!)
      say('Copied.')
    })
  return (
    <div class="box made" role="status">
      <h3>Copy the key now: it is shown this once</h3>
      <p>
        <code>{k.key}</code>
      </p>
      <p class="hint">{k.expires ? `It ends ${exactly(k.expires)}.` : 'It opens the API until it is revoked.'}</p>
      <p class="actions">
        <button type="button" class="primary" onClick={copy}>
          Copy
        </button>
        <button type="button" onClick={close}>
          I have it
        </button>
      </p>
    </div>
  )
}

function NewKey({ made }: { made: (k: ApiKey) => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('operator')
  const [days, setDays] = useState('90')
  const { save, fault, problem } = useSave(async () => {
    const expires = days ? { expires: new Date(Date.now() + Number(days) * 86_400_000).toISOString() } : {}
    made(await post<ApiKey>('keys', { name, role, ...expires }))
    setName('')
    return {}
  })
  return (
    <details class="box new-key">
      <summary>Make a key</summary>
      <form onSubmit={save} class="stack">
        <Refusal problem={problem} />
        <Text
          label="What it is for"
          value={name}
          set={setName}
          fault={fault('name')}
          required
          placeholder="dispatch desk"
        />
        <Choice label="Role" value={role} set={v => setRole(v as Role)} options={roles} />
        <Choice label="Ends after" value={days} set={setDays} options={lives} />
        <p class="actions">
          <button type="submit" class="primary" disabled={!name.trim()}>
            Make
          </button>
        </p>
      </form>
    </details>
  )
}
