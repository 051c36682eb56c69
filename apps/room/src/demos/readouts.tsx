import type { JSX } from 'preact'

export interface Readout {
  readonly term: string
  readonly value: string
}

/** Large figures in a row. */
export function Readouts({ items }: { readonly items: readonly Readout[] }): JSX.Element {
  return (
    <dl class={items.length % 3 === 0 ? 'readouts' : 'readouts pairs'}>
      {items.map(({ term, value }) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
