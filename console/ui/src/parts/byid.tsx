import { useState } from 'preact/hooks'
import { go } from '../router'
import { Text } from './form'

/** Begins a record whose id is known: its page opens, and saving it there creates it. */
export function ByID(p: { label: string; placeholder: string; verb: string; view: string }) {
  const [id, setId] = useState('')
  return (
    <form
      class="inline"
      onSubmit={e => {
        e.preventDefault()
        if (id.trim()) go(p.view, id.trim())
      }}
    >
      <Text label={p.label} value={id} set={setId} placeholder={p.placeholder} />
      <button type="submit" disabled={!id.trim()}>
        {p.verb} …
      </button>
    </form>
  )
}
