import type { ComponentChildren, JSX } from 'preact'
import { formatCount } from '../../model/format.ts'

export interface TableProps {
  readonly title: string
  /** Rows there are, shown or not. */
  readonly total: number
  /** What is not shown, and why. */
  readonly notes: readonly string[]
  /** In the place of the table while there are no rows. */
  readonly empty: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly key: string; readonly cells: readonly ComponentChildren[] }[]
  readonly children?: ComponentChildren
}

/** A card with a table that says how many of how many rows it has; on a phone each row is a small card. */
export function Table({ title, total, notes, empty, columns, rows, children }: TableProps): JSX.Element {
  const id = `dash-${title.replaceAll(/\W+/g, '-').toLowerCase()}`
  return (
    <section class="card" aria-labelledby={id}>
      <div class="dash-bar">
        <h2 id={id}>{title}</h2>
        <span class="soft">
          {formatCount(rows.length)} of {formatCount(Math.max(total, rows.length))}
        </span>
      </div>
      {children}
      {rows.length === 0 ? (
        <p class="soft">{empty}</p>
      ) : (
        <div class="dash-scroll" tabIndex={0} role="group" aria-labelledby={id}>
          <table class="dash-table">
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, cells }) => (
                <tr key={key}>
                  {cells.map((cell, at) => (
                    <td key={columns[at]} data-title={columns[at]}>
                      <div>{cell}</div>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {notes.map((note) => (
        <p key={note} class="dash-note">
          {note}
        </p>
      ))}
    </section>
  )
}
