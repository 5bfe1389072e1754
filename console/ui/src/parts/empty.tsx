import type { ComponentChildren } from 'preact'
import { loaded } from '../state'

/** What a list says when it is empty: what would be here, and how it gets here. */
export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  if (!loaded.value)
    return (
      <p class="loading" role="status">
        Loading …
      </p>
    )
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}
