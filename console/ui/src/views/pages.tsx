import { useEffect, useState } from 'preact/hooks'
import { get, put, seg } from '../api'
import { age } from '../lib/format'
import { ByID } from '../parts/byid'
import { Empty } from '../parts/empty'
import { Text } from '../parts/form'
import { Loading } from '../parts/loading'
import { Refusal, useSave } from '../parts/save'
import { Table } from '../parts/table'
import { go, href, route } from '../router'
import { loaded, pages, tick } from '../state'
import type { List, Page } from '../types'

/** The Facebook pages through which messages go. */
export function Pages() {
  if (route.value.id) return loaded.value ? <OnePage key={route.value.id} id={route.value.id} /> : <Loading />
  return (
    <section class="sheet" aria-label="Pages">
      <header class="sheethead">
        <h1>Pages</h1>
        <p class="hint">The Facebook pages in whose name owners are written to.</p>
      </header>
      <div class="filters">
        <ByID label="Connect a page" placeholder="its numeric id" verb="Connect" view="pages" />
      </div>
      {pages.value.length === 0 ? (
        <Empty title="No page yet">
          <p>
            Messages go out in the name of a Facebook page. Connect one with its id and its page access token;{' '}
            <code>gateway doctor</code> says what is missing at Meta.
          </p>
        </Empty>
      ) : (
        <Table
          caption="Pages"
          rows={pages.value}
          id={p => p.id}
          open={p => go('pages', p.id)}
          columns={[
            { title: 'Page', cell: p => <b>{p.name || p.id}</b> },
            { title: 'Id', narrow: true, cell: p => <code>{p.id}</code> },
            { title: 'Token', cell: p => (p.has_token ? 'stored' : <em class="tag bad">missing</em>) },
            { title: 'Tag', narrow: true, cell: p => p.tag || '–' },
          ]}
        />
      )}
    </section>
  )
}

interface Template {
  name: string
  language: string
  status: string
  detail?: string
  checked?: string
}

function OnePage({ id }: { id: string }) {
  const known = pages.value.find(p => p.id === id)
  const [name, setName] = useState(known?.name ?? '')
  const [token, setToken] = useState('')
  const [tag, setTag] = useState(known?.tag ?? '')
  const { save, fault, problem } = useSave(async () => {
    const saved = await put<Page>(`pages/${seg(id)}`, {
      ...(known?.templates ? { templates: known.templates } : {}),
      ...(known?.routes ? { routes: known.routes } : {}),
      name,
      tag,
      ...(token ? { access_token: token } : {}),
    })
    pages.value = [...pages.value.filter(p => p.id !== id), saved].sort((a, b) => a.id.localeCompare(b.id))
    setToken('')
    return saved
  })
  return (
    <section class="sheet" aria-label={`Page ${known?.name || id}`}>
      <header class="sheethead">
        <p>
          <a href={href('pages')}>Pages</a> /
        </p>
        <h1>{known?.name || id}</h1>
      </header>
      <div class="columns">
        <form onSubmit={save} class="box">
          <h2>Connection</h2>
          <Refusal problem={problem} />
          <Text label="Name" value={name} set={setName} fault={fault('name')} />
          <Text
            label="Page access token"
            type="password"
            value={token}
            set={setToken}
            fault={fault('access_token')}
            placeholder={known?.has_token ? 'stored; type to replace' : 'EAA…'}
            hint="sealed at rest, never shown again"
          />
          <Text
            label="Message tag"
            value={tag}
            set={setTag}
            fault={fault('tag')}
            hint="only for pages where Meta still accepts one; a refused tag is not used again"
          />
          <p class="actions">
            <button type="submit" class="primary">
              Save
            </button>
          </p>
        </form>
        <Templates page={id} />
      </div>
    </section>
  )
}

function Templates({ page }: { page: string }) {
  const [list, setList] = useState<Template[] | undefined>()
  useEffect(() => {
    get<List<Template>>(`pages/${seg(page)}/templates`)
      .then(l => setList(l.items ?? []))
      .catch(() => setList(undefined))
  }, [page])
  if (!list) return null
  return (
    <div class="box">
      <h2>Utility templates</h2>
      <p class="hint">
        For messages outside the 24 hour window. The gateway creates them and asks Meta how they stand.
      </p>
      {list.length === 0 ? (
        <p>None yet.</p>
      ) : (
        <Table
          caption="Templates"
          rows={list}
          id={t => `${t.name}/${t.language}`}
          columns={[
            { title: 'Name', cell: t => t.name },
            { title: 'Language', cell: t => t.language },
            {
              title: 'State',
              cell: t => (
                <span class={`state ${t.status.toLowerCase()}`} title={t.detail}>
                  {t.status.toLowerCase()}
                </span>
              ),
            },
            { title: 'Asked', narrow: true, cell: t => age(t.checked, tick.value) },
          ]}
        />
      )}
    </div>
  )
}
