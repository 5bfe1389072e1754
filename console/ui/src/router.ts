import { signal } from '@preact/signals'

/** Where we are: #/fences/depot?x=1 is {view: 'fences', id: 'depot', query: {x: '1'}}. */
export interface Route {
  view: string
  id: string
  query: URLSearchParams
}

function read(): Route {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?')
  const [view, id] = path.split('/')
  return { view: view || 'map', id: id ? decodeURIComponent(id) : '', query: new URLSearchParams(query ?? '') }
}

export const route = signal<Route>(read())
addEventListener('hashchange', () => {
  route.value = read()
})

export const href = (view: string, id = ''): string => `#/${view}${id ? `/${encodeURIComponent(id)}` : ''}`

export function go(view: string, id = ''): void {
  location.hash = href(view, id)
}
