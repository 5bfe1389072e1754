import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

interface SureProps {
  /** What the button does, such as "Revoke". */
  word: string
  /** What it is done to; for screen readers, where several buttons of a list say the same. */
  to?: string
  does: () => unknown
  children?: ComponentChildren
}

/** A button that asks once more before it takes something away. */
export function Sure({ word, to, does, children }: SureProps) {
  const [asked, setAsked] = useState(false)
  const target = to ? <span class="hidden"> {to}</span> : null
  if (!asked)
    return (
      <button type="button" class="danger" onClick={() => setAsked(true)}>
        {word}
        {target} …
      </button>
    )
  return (
    <span class="actions">
      {children}
      <button
        type="button"
        class="danger"
        onClick={() => {
          setAsked(false)
          does()
        }}
      >
        Really {word.toLowerCase()}
        {target}
      </button>
      <button type="button" class="quiet" onClick={() => setAsked(false)}>
        No
      </button>
    </span>
  )
}
