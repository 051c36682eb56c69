import type { Ledger, SessionStatus } from '@shoal/sdk'
import type { JSX } from 'preact'
import { plural } from '../model/format.ts'
import { TabChip } from './tab-chip.tsx'

/** Whose refs others hold, who answers for them, and who would if that tab went: closed until somebody wants to know. */
export function Ledgers({ status }: { readonly status: SessionStatus }): JSX.Element | null {
  const { ledgers } = status
  if (ledgers.length === 0) return null
  return (
    <section class="card" aria-label="Ledgers">
      <details>
        <summary>{plural(ledgers.length, 'ledger')}: who answers for whose objects</summary>
        <table class="ledgers">
          <thead>
            <tr>
              <th scope="col">Owner</th>
              <th scope="col">Answers</th>
              <th scope="col">Next</th>
              <th scope="col" title="records of it in this tab">
                Here
              </th>
            </tr>
          </thead>
          <tbody>
            {ledgers.map((ledger) => (
              <Row key={ledger.owner} ledger={ledger} />
            ))}
          </tbody>
        </table>
      </details>
    </section>
  )
}

function Row({ ledger }: { readonly ledger: Ledger }): JSX.Element {
  const { owner, answeredBy, epoch, successors, records } = ledger
  return (
    <tr>
      <td>
        <TabChip nodeId={owner} />
      </td>
      <td>
        <TabChip nodeId={answeredBy} />
        {answeredBy !== owner && <small class="soft"> took over</small>}
        {answeredBy === owner && epoch > 0 && <small class="soft"> took it back</small>}
      </td>
      <td>
        {successors.map((node) => (
          <TabChip key={node} nodeId={node} />
        ))}
      </td>
      <td>{records}</td>
    </tr>
  )
}
