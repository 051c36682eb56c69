import type { Ledger, SessionStatus } from '@shoal/sdk'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { plural } from '../model/format.ts'
import { LedgerObjects } from './ledger-objects.tsx'
import { TabChip } from './tab-chip.tsx'

/** Whose refs others hold, who answers for them, and who would if that tab went: closed until somebody wants to know. */
export function Ledgers({ status }: { readonly status: SessionStatus }): JSX.Element | null {
  const [shown, setShown] = useState<string>()
  const { ledgers } = status
  if (ledgers.length === 0) return null
  const isThere = ledgers.some(({ owner }) => owner === shown)
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
              <th scope="col">
                <span class="unseen">Objects</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {ledgers.map((ledger) => (
              <Row
                key={ledger.owner}
                ledger={ledger}
                isShown={ledger.owner === shown}
                toggle={() => setShown(ledger.owner === shown ? undefined : ledger.owner)}
              />
            ))}
          </tbody>
        </table>
        {shown !== undefined && isThere && <LedgerObjects key={shown} owner={shown} />}
      </details>
    </section>
  )
}

interface RowProps {
  readonly ledger: Ledger
  readonly isShown: boolean
  toggle(): void
}

function Row({ ledger, isShown, toggle }: RowProps): JSX.Element {
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
      <td>
        <button type="button" class="small" aria-expanded={isShown} onClick={toggle}>
          {isShown ? 'Hide' : 'Objects'}
        </button>
      </td>
    </tr>
  )
}
