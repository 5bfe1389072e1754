import { type ComponentChildren, Fragment } from 'preact'
import { useState } from 'preact/hooks'

export interface Column<T> {
  title: string
  cell: (row: T) => ComponentChildren
  narrow?: boolean // left out on a phone
}

interface TableProps<T> {
  caption: string
  rows: T[]
  id: (row: T) => string
  columns: Column<T>[]
  chosen?: string
  open?: (row: T) => void
  detail?: (row: T) => ComponentChildren
}

const step = 100

/** A table of records. A row opens with a click, with Enter or with Space; long lists show a part and offer more. */
export function Table<T>(p: TableProps<T>) {
  const [most, setMost] = useState(step)
  const shown = p.rows.slice(0, most)
  return (
    <>
      <div class="tablebox">
        <table>
          <caption class="hidden">{p.caption}</caption>
          <thead>
            <tr>
              {p.columns.map(c => (
                <th key={c.title} scope="col" class={c.narrow ? 'wide' : ''}>
                  {c.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(row => {
              const id = p.id(row)
              const isOpen = p.chosen === id
              return (
                <Fragment key={id}>
                  <tr class={isOpen ? 'chosen' : ''} data-id={id} onClick={() => p.open?.(row)}>
                    {p.columns.map((c, i) => (
                      <td key={c.title} class={c.narrow ? 'wide' : ''}>
                        {i === 0 && p.open ? (
                          <button
                            type="button"
                            class="link"
                            aria-expanded={p.detail ? isOpen : undefined}
                            onClick={e => {
                              e.stopPropagation()
                              p.open?.(row)
                            }}
                          >
                            {c.cell(row)}
                          </button>
                        ) : (
                          c.cell(row)
                        )}
                      </td>
                    ))}
                  </tr>
                  {isOpen && p.detail && (
                    <tr class="detail">
                      <td colSpan={p.columns.length}>{p.detail(row)}</td>
                    </tr>
                  )}
                </Fragment>
              )
            })}
          </tbody>
        </table>
      </div>
      {p.rows.length > most && (
        <button type="button" class="more" onClick={() => setMost(most + 5 * step)}>
          Show more: {most} of {p.rows.length}
        </button>
      )}
    </>
  )
}
