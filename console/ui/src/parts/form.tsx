import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  label: string
  hint?: ComponentChildren
  fault?: string
  children: (p: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => JSX.Element
}

/** A control with its label, what to know about it, and what is wrong with it. */
export function Field({ label, hint, fault, children }: FieldProps) {
  const id = useId()
  const said = fault || hint ? `${id}-hint` : undefined
  return (
    <div class={fault ? 'field bad' : 'field'}>
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': said, 'aria-invalid': fault ? true : undefined })}
      {said && (
        <p id={said} class="hint">
          {fault || hint}
        </p>
      )}
    </div>
  )
}

interface TextProps {
  label: string
  value: string
  set: (v: string) => void
  hint?: ComponentChildren
  fault?: string
  type?: 'text' | 'password' | 'datetime-local' | 'time' | 'date'
  placeholder?: string
  list?: string
  required?: boolean
  autofocus?: boolean
}

/** Type and list: the types of JSX allow only some pairs of them, whatever browsers do. */
const kind = (p: TextProps): object => ({ type: p.type ?? 'text', ...(p.list ? { list: p.list } : {}) })

export function Text(p: TextProps) {
  return (
    <Field label={p.label} hint={p.hint} fault={p.fault}>
      {a => (
        <input
          {...a}
          {...kind(p)}
          value={p.value}
          placeholder={p.placeholder}
          required={p.required}
          spellcheck={false}
          autocomplete="off"
          onInput={e => p.set(e.currentTarget.value)}
        />
      )}
    </Field>
  )
}

interface NumberProps {
  label: string
  value: number
  set: (v: number) => void
  unit?: string
  min?: number
  max?: number
  step?: number | 'any'
  hint?: string
  fault?: string
}

/** A number; what is no number yet is not passed on. */
export function Num(p: NumberProps) {
  return (
    <Field label={p.unit ? `${p.label} (${p.unit})` : p.label} hint={p.hint} fault={p.fault}>
      {a => (
        <input
          {...a}
          type="number"
          inputMode="decimal"
          min={p.min}
          max={p.max}
          step={p.step ?? 'any'}
          value={p.value}
          onChange={e => {
            const v = e.currentTarget.valueAsNumber
            if (Number.isFinite(v)) p.set(v)
          }}
        />
      )}
    </Field>
  )
}

interface ChoiceProps {
  label: string
  value: string
  set: (v: string) => void
  options: { value: string; label: string }[]
  hint?: string
}

export function Choice(p: ChoiceProps) {
  return (
    <Field label={p.label} hint={p.hint}>
      {a => (
        <select {...a} value={p.value} onChange={e => p.set(e.currentTarget.value)}>
          {p.options.map(o => (
            <option key={o.value} value={o.value}>
              {o.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/** Words separated by commas. */
export function Tags(p: { label: string; value: string[]; set: (v: string[]) => void; hint?: string }) {
  return (
    <Field label={p.label} hint={p.hint ?? 'separated by commas'}>
      {a => (
        <input
          {...a}
          value={p.value.join(', ')}
          autocomplete="off"
          spellcheck={false}
          onChange={e =>
            p.set(
              e.currentTarget.value
                .split(',')
                .map(t => t.trim())
                .filter(Boolean),
            )
          }
        />
      )}
    </Field>
  )
}
