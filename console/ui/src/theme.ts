import { effect, signal } from '@preact/signals'

const key = 'outrider.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const own = signal(localStorage.getItem(key) ?? '')
const dark = signal(system.matches)
system.addEventListener('change', e => {
  dark.value = e.matches
})

export const theme = signal<'light' | 'dark'>('light')
effect(() => {
  theme.value = own.value === 'dark' || (own.value !== 'light' && dark.value) ? 'dark' : 'light'
  document.documentElement.dataset.theme = theme.value
})

export function toggleTheme(): void {
  own.value = theme.value === 'dark' ? 'light' : 'dark'
  localStorage.setItem(key, own.value)
  location.reload() // the map's style is made with its colours
}
