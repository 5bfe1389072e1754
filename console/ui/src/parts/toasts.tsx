import { dismiss, toasts } from '../state'
import { Icon } from './icon'

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(t => (
        <p key={t.id} class={t.bad ? 'toast bad' : 'toast'}>
          {t.text}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(t.id)}>
            <Icon name="close" />
          </button>
        </p>
      ))}
    </div>
  )
}
