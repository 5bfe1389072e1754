import { useEffect, useState } from 'preact/hooks'
import { get } from '../api'
import { exactly, when } from '../lib/format'
import { Empty } from '../parts/empty'
import { Text } from '../parts/form'
import { Table } from '../parts/table'
import { attempt } from '../state'
import type { AuditEntry, List } from '../types'
import { has } from './events'

const page = 200

/** Who changed what: the audit log, newest first. */
export function Changes() {
  const [entries, setEntries] = useState<AuditEntry[]>()
  const [next, setNext] = useState('')
  const [text, setText] = useState('')
  const [open, setOpen] = useState('')
  const more = (cursor: string, before: AuditEntry[]): Promise<unknown> =>
    attempt(async () => {
      const got = await get<List<AuditEntry>>(
        `audit?limit=${page}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      )
      setEntries([...before, ...(got.items ?? [])])
      setNext(got.next ?? '')
    })
  useEffect(() => {
    more('', [])
  }, [])
  if (!entries) return null
  const rows = entries.filter(e => has(text, e.actor ?? '', e.name ?? '', e.operation, e.target, e.request))
  return (
    <section class="sheet" aria-label="Changes">
      <header class="sheethead">
        <h1>Changes</h1>
        <p class="hint">Who changed what over the API or here, with the record before and after. Secrets are cut.</p>
      </header>
      <div class="filters">
        <Text label="Find" value={text} set={setText} placeholder="a name, a path, an operation" />
      </div>
      {rows.length === 0 ? (
        <Empty title={entries.length ? 'Nothing fits' : 'No changes yet'}>
          <p>What people and programs change from now on is listed here.</p>
        </Empty>
      ) : (
        <Table
          caption="Changes"
          rows={rows}
          id={e => String(e.seq)}
          chosen={open}
          open={e => setOpen(open === String(e.seq) ? '' : String(e.seq))}
          columns={[
            { title: 'When', cell: e => when(e.at) },
            { title: 'Who', cell: e => e.name || e.actor || 'bootstrap key' },
            { title: 'What', cell: e => operationWords(e.operation) },
            { title: 'Where', narrow: true, cell: e => <code>{decodeURIComponent(e.target)}</code> },
            { title: 'Outcome', narrow: true, cell: e => outcome(e.status) },
          ]}
          detail={e => <Detail e={e} />}
        />
      )}
      {next && (
        <button type="button" class="more" onClick={() => more(next, entries)}>
          Older ones
        </button>
      )}
    </section>
  )
}

/** "put-geofence" is "put geofence". */
const operationWords = (id: string): string => id.replaceAll('-', ' ')

function outcome(status: number): string {
  if (status === 0) return 'not known: the gateway ended'
  return status < 400 ? 'done' : `failed (${status})`
}

function Detail({ e }: { e: AuditEntry }) {
  return (
    <>
      <dl class="facts">
        <dt>At</dt>
        <dd>{exactly(e.at)}</dd>
        <dt>By</dt>
        <dd>
          {e.name || 'bootstrap key'} {e.actor && <code>{e.actor}</code>}
        </dd>
        <dt>Path</dt>
        <dd>
          <code>{decodeURIComponent(e.target)}</code>
        </dd>
        <dt>Outcome</dt>
        <dd>{outcome(e.status)}</dd>
        <dt>In the log as</dt>
        <dd>
          <code>{e.request}</code>
        </dd>
      </dl>
      <div class="columns">
        <Record title="Before" value={e.before} none="There was nothing." />
        <Record title="Answered" value={e.after} none="Nothing was answered." />
      </div>
    </>
  )
}

function Record({ title, value, none }: { title: string; value: unknown; none: string }) {
  return (
    <div>
      <h3>{title}</h3>
      {value === undefined || value === null ? <p class="hint">{none}</p> : <pre>{JSON.stringify(value, null, 2)}</pre>}
    </div>
  )
}
