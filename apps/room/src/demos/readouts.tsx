import type { JSX } from 'preact'

export interface Readout {
  readonly term: string
  readonly value: string
}

/** Large figures in a row. */
export function Readouts({ items }: { readonly items: readonly Readout[] }): JSX.Element {
  return (
    <dl class="readouts">
      {items.map(({ term, value }) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
