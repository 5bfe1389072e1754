import { useEffect, useState } from 'preact/hooks'
import { call, get, post, put, seg } from '../api'
import { age, bytes, exactly, metres, speed, when } from '../lib/format'
import { ByID } from '../parts/byid'
import { Empty } from '../parts/empty'
import { Tags, Text } from '../parts/form'
import { Icon } from '../parts/icon'
import { Loading } from '../parts/loading'
import { Refusal, useSave } from '../parts/save'
import { Table } from '../parts/table'
import { go, href, route } from '../router'
import { attempt, loaded, ownerName, owners, putVehicle, tick, vehicles } from '../state'
import type { DeadLetter, List, Vehicle } from '../types'
import { has } from './events'
import { showVehicle } from './mappanel'

/** All vehicles: the registered ones, and those that merely publish. */
export function Vehicles() {
  const [text, setText] = useState('')
  const [only, setOnly] = useState(false)
  if (route.value.id) return loaded.value ? <OneVehicle key={route.value.id} id={route.value.id} /> : <Loading />
  const rows = [...vehicles.value.values()].filter(
    v => (!only || !v.claimed) && has(text, v.id, v.name, v.device, ...(v.tags ?? [])),
  )
  return (
    <section class="sheet" aria-label="Vehicles">
      <header class="sheethead">
        <h1>Vehicles</h1>
        <p class="hint">
          A tracker that publishes is here by itself, as unclaimed until somebody gives it a name and an owner.
        </p>
      </header>
      <div class="filters">
        <Text label="Find" value={text} set={setText} />
        <label class="check">
          <input type="checkbox" checked={only} onChange={e => setOnly(e.currentTarget.checked)} /> unclaimed only
        </label>
        <ByID label="Register a vehicle" placeholder="its id, as in the topic" verb="Register" view="vehicles" />
      </div>
      {rows.length === 0 ? (
        <Empty title={vehicles.value.size ? 'Nothing fits' : 'No vehicles yet'}>
          <p>
            Let a tracker publish to <code>fleet/default/my-car/fix</code>, for instance:
          </p>
          <pre>
            mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t fleet/default/my-car/fix -m '{'{"t":'}
            {Math.round(Date.now() / 1000)}
            {',"lat":48.1374,"lon":11.5755}'}'
          </pre>
        </Empty>
      ) : (
        <Table
          caption="Vehicles"
          rows={rows}
          id={v => v.id}
          open={v => go('vehicles', v.id)}
          columns={[
            {
              title: 'Vehicle',
              cell: v => (
                <>
                  <b>{v.name || v.id}</b>
                  {!v.claimed && <em class="tag">unclaimed</em>}
                </>
              ),
            },
            { title: 'Owner', narrow: true, cell: v => (v.owners ?? []).map(ownerName).join(', ') || '–' },
            { title: 'Tags', narrow: true, cell: v => v.tags?.join(', ') || '–' },
            { title: 'Speed', cell: v => speed(v.last_fix?.spd) },
            { title: 'Heard of', cell: v => age(v.last_fix?.t, tick.value) },
          ]}
        />
      )}
    </section>
  )
}

function OneVehicle({ id }: { id: string }) {
  const v = vehicles.value.get(id) ?? { id, claimed: false }
  return (
    <section class="sheet" aria-label={`Vehicle ${v.name || id}`}>
      <header class="sheethead">
        <p>
          <a href={href('vehicles')}>Vehicles</a> /
        </p>
        <h1>{v.name || id}</h1>
        {!v.claimed && <p class="hint">Unclaimed: give it an owner, so that somebody is told.</p>}
      </header>
      <div class="columns">
        <VehicleForm v={v} />
        <div>
          <LastFix v={v} />
          <Credentials id={id} />
        </div>
      </div>
      <Inspector id={id} />
    </section>
  )
}

function VehicleForm({ v }: { v: Vehicle }) {
  const [name, setName] = useState(v.name ?? '')
  const [who, setWho] = useState((v.owners ?? []).join(', '))
  const [device, setDevice] = useState(v.device ?? '')
  const [tags, setTags] = useState(v.tags ?? [])
  const { save, fault, problem } = useSave(async () => {
    const list = who
      .split(',')
      .map(x => x.trim())
      .filter(Boolean)
    const saved = await put<Vehicle>(`vehicles/${seg(v.id)}`, {
      name,
      tags,
      device,
      ...(list.length === 1 ? { owner: list[0] } : { owners: list }),
    })
    putVehicle({ ...saved, claimed: true })
    return saved
  })
  return (
    <form onSubmit={save} class="box">
      <h2>Registration</h2>
      <Refusal problem={problem} />
      <Text
        label="Name"
        value={name}
        set={setName}
        fault={fault('name')}
        placeholder={v.id}
        hint="what owners read in their messages"
      />
      <Text
        label="Owners"
        value={who}
        set={setWho}
        fault={fault('owner')}
        list="owner-ids"
        hint="ids of owners, separated by commas"
      />
      <datalist id="owner-ids">
        {owners.value.map(o => (
          <option key={o.id} value={o.id}>
            {o.name}
          </option>
        ))}
      </datalist>
      <Text
        label="Device"
        value={device}
        set={setDevice}
        fault={fault('device')}
        hint="only if the tracker publishes under another id"
      />
      <Tags label="Tags" value={tags} set={setTags} />
      <p class="actions">
        <button type="submit" class="primary">
          Save
        </button>
      </p>
    </form>
  )
}

function LastFix({ v }: { v: Vehicle }) {
  const f = v.last_fix
  if (!f)
    return (
      <div class="box">
        <h2>Last position</h2>
        <p>None yet.</p>
      </div>
    )
  return (
    <div class="box">
      <h2>Last position</h2>
      <dl class="facts">
        <dt>Its clock</dt>
        <dd>
          {exactly(f.t)} ({age(f.t, tick.value)})
        </dd>
        <dt>Received</dt>
        <dd>{exactly(f.received)}</dd>
        <dt>Place</dt>
        <dd>
          {f.lat.toFixed(6)}, {f.lon.toFixed(6)}{' '}
          <button
            type="button"
            onClick={() => {
              showVehicle(v)
              go('map')
            }}
          >
            On the map
          </button>
        </dd>
        <dt>Accuracy</dt>
        <dd>{f.acc === undefined ? 'not given' : metres(f.acc)}</dd>
        <dt>Speed</dt>
        <dd>{f.spd === undefined ? 'not given' : `${speed(f.spd)} (${f.spd.toFixed(1)} m/s)`}</dd>
        <dt>Course</dt>
        <dd>{f.hdg === undefined ? 'not given' : `${Math.round(f.hdg)}°`}</dd>
        <dt>Ignition</dt>
        <dd>{f.ign === undefined ? 'not given' : f.ign ? 'on' : 'off'}</dd>
        <dt>Battery</dt>
        <dd>{f.batt === undefined ? 'not given' : `${Math.round(f.batt)} %`}</dd>
      </dl>
    </div>
  )
}

interface Credential {
  id?: string
  username?: string
  password?: string
  created?: string
  last_used?: string
}

/** Passwords of the tracker: shown once, when they are made. */
function Credentials({ id }: { id: string }) {
  const [list, setList] = useState<Credential[] | undefined>()
  const [fresh, setFresh] = useState<Credential>()
  const read = (): void =>
    void get<List<Credential>>(`vehicles/${seg(id)}/credentials`)
      .then(l => setList(l.items ?? []))
      .catch(() => setList(undefined))
  useEffect(read, [id])
  if (!list) return null
  const make = (): void =>
    void attempt(async () => {
      setFresh(await post<Credential>(`vehicles/${seg(id)}/credentials`, {}))
      read()
    })
  return (
    <div class="box access">
      <h2>Tracker's access</h2>
      {fresh && (
        <div class="secret" role="status">
          <p>Shown once. Put it into the tracker now:</p>
          <dl class="facts">
            <dt>User</dt>
            <dd>
              <code>{fresh.username}</code>
            </dd>
            <dt>Password</dt>
            <dd>
              <code>{fresh.password}</code>
            </dd>
          </dl>
        </div>
      )}
      {list.length === 0 && <p class="hint">None. Without one the tracker may publish only from this machine.</p>}
      <ul class="plain">
        {list.map(c => (
          <li key={c.id ?? c.username}>
            <code>{c.username}</code>{' '}
            <small>
              made {when(c.created)}, used {age(c.last_used, tick.value)}
            </small>{' '}
            <button
              type="button"
              class="danger"
              onClick={() =>
                void attempt(async () => {
                  setFresh(undefined)
                  await call(`vehicles/${seg(id)}/credentials/${seg(c.id ?? c.username ?? '')}`, { method: 'DELETE' })
                  read()
                })
              }
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      <p class="actions">
        <button type="button" class="make" onClick={make}>
          <Icon name="key" />
          New password
        </button>
      </p>
    </div>
  )
}

interface Inspected {
  received: string
  topic: string
  format?: string
  how?: string
  retained: boolean
  size: number
  payload?: string
  payload_base64?: string
  count: number
  fixes?: Record<string, unknown>[]
  gate?: { verdict?: string; reason?: string }[]
  refused?: { reason: string; field?: string; detail: string }[]
}

interface Inspection {
  items: Inspected[]
  verdicts: Record<string, number>
  doubts: { reason: string; count: number; last: string; detail: string }[]
}

const ruling = (g: { verdict?: string; reason?: string }): string =>
  g.reason && g.reason !== g.verdict ? `${g.verdict}: ${g.reason}` : (g.verdict ?? '')

/** The last payloads of the device, raw and as they were understood. */
function Inspector({ id }: { id: string }) {
  const [seen, setSeen] = useState<Inspection | undefined>()
  const [letters, setLetters] = useState<DeadLetter[]>([])
  useEffect(() => {
    let gone = false
    const read = async (): Promise<void> => {
      const found = await get<Inspection>(`inspect/${seg(id)}`).catch(() => undefined)
      const refused = await get<List<DeadLetter>>(`dead-letters?vehicle=${seg(id)}&limit=20`).catch(() => undefined)
      if (gone) return
      setSeen(found ?? { items: [], verdicts: {}, doubts: [] })
      if (refused) setLetters(refused.items ?? [])
    }
    void read()
    const timer = setInterval(read, 2000)
    return () => {
      gone = true
      clearInterval(timer)
    }
  }, [id])
  return (
    <div class="box">
      <h2>What it sends</h2>
      {seen?.items.length === 0 && letters.length === 0 && (
        <p class="hint">
          Nothing since the gateway started. Is the topic right, and does the tracker reach the broker?
        </p>
      )}
      {seen && seen.items.length > 0 && (
        <p class="hint">
          Positions since the gateway started:{' '}
          {Object.entries(seen.verdicts)
            .filter(([, n]) => n > 0)
            .map(([verdict, n]) => `${n} ${verdict}`)
            .join(', ')}
        </p>
      )}
      {seen && seen.doubts.length > 0 && (
        <ul class="plain">
          {seen.doubts.map(d => (
            <li key={d.reason}>
              {d.count} × <b>{d.reason}</b>, last {when(d.last)}: {d.detail}
            </li>
          ))}
        </ul>
      )}
      {seen?.items.map((p, i) => (
        <details key={p.received + i} open={i === 0}>
          <summary>
            {when(p.received)} · {p.count} {p.count === 1 ? 'position' : 'positions'} · {bytes(p.size)}{' '}
            {p.retained && <em class="tag">kept copy</em>} {p.refused && <em class="tag bad">refused</em>}
          </summary>
          <p class="hint">
            {p.topic}
            {p.format && ` · ${p.format} (${p.how})`}
          </p>
          {p.refused?.map(r => (
            <p key={r.field + r.detail} class="faults">
              {r.field && <b>{r.field}: </b>}
              {r.detail}
            </p>
          ))}
          <pre>{p.payload ?? p.payload_base64}</pre>
          {p.fixes?.map((f, k) => (
            <pre key={k} class="understood">
              {JSON.stringify(f, null, 1)}
              {(p.gate?.[k]?.reason || p.gate?.[k]?.verdict === 'late') && `\n${ruling(p.gate[k])}`}
            </pre>
          ))}
        </details>
      ))}
      {letters.length > 0 && (
        <>
          <h3>Refused</h3>
          <ul class="plain">
            {letters.map((l, i) => (
              <li key={l.received + i}>
                <b>{when(l.received)}</b> {l.detail || l.reason} <code>{(l.payload ?? '').slice(0, 120)}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}
