import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { follow } from './live'
import { FleetMap } from './map/map'
import { Icon, type IconName } from './parts/icon'
import { Toasts } from './parts/toasts'
import { href, route } from './router'
import { asked, resume, session, signOut, switchTenant } from './session'
import { feed, forget, say, unclaimed } from './state'
import { theme, toggleTheme } from './theme'
import type { Role } from './types'
import { Access } from './views/access'
import { Changes } from './views/changes'
import { Events } from './views/events'
import { Health } from './views/health'
import { MapPanel } from './views/mappanel'
import { Messages } from './views/messages'
import { Owners } from './views/owners'
import { Pages } from './views/pages'
import { Rules } from './views/rules'
import { SignIn } from './views/signin'
import { Transfer } from './views/transfer'
import { Vehicles } from './views/vehicles'
import { Why } from './views/why'
import { You } from './views/you'

interface View {
  name: string
  title: string
  icon: IconName
  page: ComponentType
  least?: Role // who finds it in the list; absent: everybody
}

const views: View[] = [
  { name: 'map', title: 'Map', icon: 'map', page: MapPanel },
  { name: 'events', title: 'Crossings', icon: 'cross', page: Events },
  { name: 'messages', title: 'Messages', icon: 'message', page: Messages },
  { name: 'rules', title: 'Rules', icon: 'rule', page: Rules },
  { name: 'vehicles', title: 'Vehicles', icon: 'vehicle', page: Vehicles },
  { name: 'owners', title: 'Owners', icon: 'person', page: Owners },
  { name: 'pages', title: 'Pages', icon: 'page', page: Pages },
  { name: 'import', title: 'Import', icon: 'file', page: Transfer },
  { name: 'why', title: 'Why?', icon: 'why', page: Why },
  { name: 'health', title: 'Health', icon: 'health', page: Health },
  { name: 'access', title: 'Access', icon: 'key', page: Access, least: 'admin' },
  { name: 'changes', title: 'Changes', icon: 'log', page: Changes, least: 'admin' },
]

// Reached by the name of who is signed in.
const you: View = { name: 'you', title: 'You', icon: 'person', page: You }

export function App() {
  useEffect(() => {
    resume()
  }, [])
  const { key, tenant, me, signedIn } = session.value
  if (!asked.value) return null
  if (!signedIn) return <SignIn />
  return <Console key={`${key}/${tenant}/${me?.person ?? ''}`} />
}

/** The views that somebody of the role is offered. */
const offered = (role?: Role): View[] => views.filter(v => !v.least || v.least === role)

function Console() {
  useEffect(() => {
    forget()
    return follow()
  }, [])
  const here = [...offered(session.value.me?.role), you].find(v => v.name === route.value.view) ?? views[0]
  useEffect(() => {
    document.title = `${here.title} · Outrider`
  }, [here])
  return (
    <div class="shell" data-view={here.name}>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <Rail here={here.name} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse (WCAG 2.1.1) */}
      <main id="content" class="content" tabIndex={0}>
        <here.page />
      </main>
      <FleetMap />
      <Toasts />
    </div>
  )
}

function Rail({ here }: { here: string }) {
  return (
    <nav class="rail" aria-label="Main">
      <div class="brand">
        <img src="./icon.svg" alt="" width="28" height="28" />
        <span>Outrider</span>
      </div>
      <ul>
        {offered(session.value.me?.role).map(v => (
          <li key={v.name}>
            <a href={href(v.name)} aria-current={v.name === here ? 'page' : undefined}>
              <Icon name={v.icon} />
              <span>{v.title}</span>
              {v.name === 'vehicles' && unclaimed.value > 0 && (
                <b class="count" title="seen, but registered by nobody">
                  {unclaimed.value}
                  <span class="hidden"> unclaimed</span>
                </b>
              )}
            </a>
          </li>
        ))}
      </ul>
      <div class="foot">
        <FeedState />
        {session.value.anyTenant ? (
          <Tenant />
        ) : (
          <a class="who" href={href('you')}>
            {session.value.person || 'A key'}
            <span class="hidden">: you</span>
          </a>
        )}
        <button
          type="button"
          class="quiet"
          onClick={toggleTheme}
          aria-label={theme.value === 'dark' ? 'Light colours' : 'Dark colours'}
        >
          <Icon name="theme" />
          <span>{theme.value === 'dark' ? 'Light' : 'Dark'}</span>
        </button>
        <button type="button" class="quiet" onClick={() => signOut()}>
          <Icon name="out" />
          <span>Sign out</span>
        </button>
      </div>
    </nav>
  )
}

const feedWords = { connecting: 'connecting', live: 'live', lost: 'no connection' }

function FeedState() {
  return (
    <p class={`feed ${feed.value}`} role="status">
      <i aria-hidden="true" />
      {feedWords[feed.value]}
    </p>
  )
}

function Tenant() {
  return (
    <form
      class="tenant"
      onSubmit={async e => {
        e.preventDefault()
        const input = e.currentTarget.elements.namedItem('tenant') as HTMLInputElement
        const refused = await switchTenant(input.value.trim())
        if (refused) say(refused, true)
      }}
    >
      <label>
        Tenant{' '}
        <input
          name="tenant"
          defaultValue={session.value.tenant}
          placeholder="default"
          autocomplete="off"
          spellcheck={false}
        />
      </label>
    </form>
  )
}
