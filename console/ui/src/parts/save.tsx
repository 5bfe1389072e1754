import { useState } from 'preact/hooks'
import { Problem } from '../api'
import { say } from '../state'

/** The saving of a form: what was refused, field by field, and the word that it was done. */
export function useSave(store: () => Promise<{ warnings?: string[] }>) {
  const [problem, setProblem] = useState<Problem>()
  const save = async (e: Event): Promise<void> => {
    e.preventDefault()
    setProblem(undefined)
    try {
      const { warnings } = await store()
      say(warnings?.length ? `Saved. ${warnings.join(' ')}` : 'Saved.')
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      setProblem(cause)
    }
  }
  const fault = (field: string): string | undefined => problem?.faults.find(f => f.field.startsWith(field))?.message
  return { save, fault, problem }
}

/** What was wrong when no field is to blame. */
export function Refusal({ problem }: { problem?: Problem }) {
  if (!problem || problem.faults.length > 0) return null
  return (
    <p class="faults" role="alert">
      {problem.message}
    </p>
  )
}
