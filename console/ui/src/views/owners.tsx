import { useState } from 'preact/hooks'
import { post, put, seg } from '../api'
import { exactly } from '../lib/format'
import { ByID } from '../parts/byid'
import { Empty } from '../parts/empty'
import { Choice, Field, Text } from '../parts/form'
import { Loading } from '../parts/loading'
import { QR } from '../parts/qr'
import { Refusal, useSave } from '../parts/save'
import { Table } from '../parts/table'
import { go, href, route } from '../router'
import { loaded, owners, pages, vehicles } from '../state'
import type { Contact, Owner } from '../types'
import { has } from './events'

const languages = [
  { value: '', label: 'as the person’s Messenger, else English' },
  { value: 'en', label: 'English' },
  { value: 'de', label: 'Deutsch' },
  { value: 'es', label: 'Español' },
  { value: 'pt_BR', label: 'Português (Brasil)' },
  { value: 'hi', label: 'हिन्दी' },
  { value: 'vi', label: 'Tiếng Việt' },
]

/** The people who are told. */
export function Owners() {
  const [text, setText] = useState('')
  if (route.value.id) return loaded.value ? <OneOwner key={route.value.id} id={route.value.id} /> : <Loading />
  const rows = owners.value.filter(o => has(text, o.id, o.name))
  return (
    <section class="sheet" aria-label="Owners">
      <header class="sheethead">
        <h1>Owners</h1>
        <p class="hint">Whom Messenger tells. Each is linked to a page by a code that they open on their phone.</p>
      </header>
      <div class="filters">
        <Text label="Find" value={text} set={setText} />
        <ByID label="New owner" placeholder="an id, such as ann" verb="Create" view="owners" />
      </div>
      {rows.length === 0 ? (
        <Empty title={owners.value.length ? 'Nothing fits' : 'No owners yet'}>
          <p>Create one, give them a vehicle, and let them scan the code: from then on they are told.</p>
        </Empty>
      ) : (
        <Table
          caption="Owners"
          rows={rows}
          id={o => o.id}
          open={o => go('owners', o.id)}
          columns={[
            { title: 'Owner', cell: o => <b>{o.name || o.id}</b> },
            {
              title: 'Vehicles',
              cell: o =>
                [...vehicles.value.values()]
                  .filter(v => v.owners?.includes(o.id))
                  .map(v => v.name || v.id)
                  .join(', ') || '–',
            },
            { title: 'Linked', cell: o => (o.contacts?.length ? 'yes' : <em class="tag">not linked</em>) },
            { title: 'Language', narrow: true, cell: o => o.locale || '–' },
            { title: 'Time zone', narrow: true, cell: o => o.time_zone || 'UTC' },
          ]}
        />
      )}
    </section>
  )
}

function OneOwner({ id }: { id: string }) {
  const known = owners.value.find(o => o.id === id)
  return (
    <section class="sheet" aria-label={`Owner ${known?.name || id}`}>
      <header class="sheethead">
        <p>
          <a href={href('owners')}>Owners</a> /
        </p>
        <h1>{known?.name || id}</h1>
      </header>
      <div class="columns">
        <OwnerForm o={known ?? { id }} />
        {known && <Link o={known} />}
        {known && <Answer o={known} />}
      </div>
    </section>
  )
}

function OwnerForm({ o }: { o: Owner }) {
  const [name, setName] = useState(o.name ?? '')
  const [locale, setLocale] = useState(o.locale ?? '')
  const [zone, setZone] = useState(o.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone)
  const [contacts, setContacts] = useState<Contact[]>(o.contacts ?? [])
  const [fallback, setFallback] = useState('')
  const { save, fault, problem } = useSave(async () => {
    const body = {
      name,
      locale,
      time_zone: zone,
      contacts: contacts.filter(c => c.page && c.psid),
      ...(fallback ? { fallback } : {}),
    }
    const saved = await put<Owner>(`owners/${seg(o.id)}`, body)
    owners.value = [...owners.value.filter(x => x.id !== o.id), saved].sort((a, b) => a.id.localeCompare(b.id))
    return saved
  })
  const set = (i: number, c: Partial<Contact>): void =>
    setContacts(contacts.map((x, k) => (k === i ? { ...x, ...c } : x)))
  return (
    <form onSubmit={save} class="box">
      <h2>Person</h2>
      <Refusal problem={problem} />
      <Text label="Name" value={name} set={setName} fault={fault('name')} />
      <Choice
        label="Language"
        value={locale}
        set={setLocale}
        options={languages.some(l => l.value === locale) ? languages : [...languages, { value: locale, label: locale }]}
      />
      <Text
        label="Time zone"
        value={zone}
        set={setZone}
        fault={fault('time_zone')}
        list="zones"
        hint="messages tell the time in it"
      />
      <datalist id="zones">
        {(Intl.supportedValuesOf?.('timeZone') ?? []).map(z => (
          <option key={z} value={z} />
        ))}
      </datalist>
      <fieldset>
        <legend>Contacts</legend>
        {contacts.map((c, i) => (
          <div class="contact" key={i}>
            <select
              aria-label={`Page of contact ${i + 1}`}
              value={c.page}
              onChange={e => set(i, { page: e.currentTarget.value })}
            >
              <option value="">page …</option>
              {pages.value.map(p => (
                <option key={p.id} value={p.id}>
                  {p.name || p.id}
                </option>
              ))}
              {c.page && !pages.value.some(p => p.id === c.page) && <option value={c.page}>{c.page}</option>}
            </select>
            <input
              aria-label={`Page-scoped id of contact ${i + 1}`}
              placeholder="PSID"
              value={c.psid}
              onInput={e => set(i, { psid: e.currentTarget.value })}
            />
            <button
              type="button"
              class="quiet"
              aria-label={`Remove contact ${i + 1}`}
              onClick={() => setContacts(contacts.filter((_, k) => k !== i))}
            >
              ✕
            </button>
          </div>
        ))}
        {fault('contacts') && <p class="faults">{fault('contacts')}</p>}
        <button type="button" onClick={() => setContacts([...contacts, { page: pages.value[0]?.id ?? '', psid: '' }])}>
          Add by hand
        </button>
      </fieldset>
      <Text
        label="Other channel"
        type="password"
        value={fallback}
        set={setFallback}
        fault={fault('fallback')}
        placeholder={o.has_fallback ? 'set; type to replace' : 'telegram://…, smtp://…, ntfy://…'}
        hint="used when Messenger cannot reach them; never shown again"
      />
      <p class="actions">
        <button type="submit" class="primary">
          Save
        </button>
      </p>
    </form>
  )
}

/** What an operator answers by hand: Meta allows it for 7 days after the person wrote. */
function Answer({ o }: { o: Owner }) {
  const [text, setText] = useState('')
  const [operator, setOperator] = useState('')
  const { save, fault, problem } = useSave(async () => {
    await post(`owners/${seg(o.id)}/messages`, { text, operator })
    setText('')
    return { warnings: ['The message is on its way: see Messages.'] }
  })
  return (
    <form onSubmit={save} class="box">
      <h2>Write to {o.name || o.id}</h2>
      <p class="hint">Within 7 days after they wrote. Only what a person typed may go this way.</p>
      <Refusal problem={problem} />
      <Field label="Message" fault={fault('text')}>
        {a => (
          <textarea
            {...a}
            rows={4}
            maxLength={1900}
            required
            value={text}
            onInput={e => setText(e.currentTarget.value)}
          />
        )}
      </Field>
      <Text label="Your name" value={operator} set={setOperator} fault={fault('operator')} required />
      <p class="actions">
        <button type="submit" disabled={!text.trim() || !operator.trim()}>
          Send
        </button>
      </p>
    </form>
  )
}

interface LinkCode {
  url?: string
  link?: string
  m_me?: string
  code?: string
  ref?: string
  expires?: string
  expires_at?: string
}

/** A code that links the person: they scan it, and Messenger tells us who they are on that page. */
function Link({ o }: { o: Owner }) {
  const [page, setPage] = useState(pages.value[0]?.id ?? '')
  const [code, setCode] = useState<LinkCode>()
  const [problem, setProblem] = useState('')
  const make = async (): Promise<void> => {
    setProblem('')
    try {
      setCode(await post<LinkCode>(`owners/${seg(o.id)}/links`, { page }))
    } catch (cause) {
      setProblem(cause instanceof Error ? cause.message : String(cause))
    }
  }
  const url = code?.url ?? code?.link ?? code?.m_me
  return (
    <div class="box">
      <h2>Link to Messenger</h2>
      {o.contacts?.length ? (
        <p>Linked to {o.contacts.map(c => pages.value.find(p => p.id === c.page)?.name || c.page).join(', ')}.</p>
      ) : (
        <p>Not linked yet: messages to this person wait.</p>
      )}
      {pages.value.length === 0 ? (
        <p class="hint">
          Connect a <a href="#/pages">page</a> first.
        </p>
      ) : (
        <div class="inline">
          <Choice
            label="Page"
            value={page}
            set={setPage}
            options={pages.value.map(p => ({ value: p.id, label: p.name || p.id }))}
          />
          <button type="button" onClick={make}>
            Make a code
          </button>
        </div>
      )}
      {problem && (
        <p class="faults" role="alert">
          {problem}
        </p>
      )}
      {url && (
        <div class="linkcode">
          <QR text={url} label={`QR code of ${url}`} />
          <p>
            <a href={url} rel="noreferrer" target="_blank">
              {url}
            </a>
          </p>
          {(code?.expires ?? code?.expires_at) && (
            <p class="hint">Once, until {exactly((code?.expires ?? code?.expires_at)!)}.</p>
          )}
        </div>
      )}
    </div>
  )
}
