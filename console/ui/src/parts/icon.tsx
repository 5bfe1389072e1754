const paths = {
  map: 'M9 4 3 6v14l6-2 6 2 6-2V4l-6 2zM9 4v14M15 6v14',
  cross: 'M4 12h16M14 6l6 6-6 6M9 4v16',
  message: 'M4 5h16v11H9l-5 4z',
  vehicle: 'M3 13l2-6h14l2 6v5H3zM7 18v2M17 18v2M6 15h2M16 15h2',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-5 4-7 8-7s7 2 8 7',
  file: 'M12 3v12M7 10l5 5 5-5M4 20h16',
  rule: 'M4 6h10M4 12h6M4 18h8M15 15l3 3 4-6',
  why: 'M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 18h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  page: 'M5 3h11l4 4v14H5zM15 3v5h5M8 12h8M8 16h6',
  health: 'M3 12h4l2-6 4 12 2-6h6',
  theme: 'M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z',
  out: 'M10 4H4v16h6M15 8l4 4-4 4M19 12H9',
  circle: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 12h.01',
  polygon: 'M12 3 3 10l4 10h11l3-9z',
  corridor: 'M4 20C4 12 20 12 20 4',
  tripwire: 'M5 20 19 4M9 8l7 8M16 11v5h-5',
  undo: 'M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3',
  redo: 'M16 5l4 4-4 4M20 9H10a6 6 0 0 0 0 12h3',
  hole: 'M3 3h18v18H3zM9 9h6v6H9z',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  log: 'M5 4h14v16H5zM8 8h8M8 12h8M8 16h5',
  key: 'M14 10a4 4 0 1 0-3 3.9L13 16h2v2h2v2h3v-3l-6.200-6.200z',
} as const

export type IconName = keyof typeof paths

/** A drawing beside words; it says nothing by itself. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}
