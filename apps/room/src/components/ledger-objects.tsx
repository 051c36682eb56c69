import type { ObjectState, StateResult } from '@shoal/sdk'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { formatBytes, plural } from '../model/format.ts'
import { lineageTree } from '../model/lineage-tree.ts'
import type { LineageNode } from '../model/lineage-tree.ts'
import { messageOf } from '../model/message-of.ts'
import { usePage } from '../model/page-context.ts'
import { TabChip } from './tab-chip.tsx'

/** The objects of one ledger: where each is, who would know of it, and what would make it again. As of when it was opened. */
export function LedgerObjects({ owner }: { readonly owner: string }): JSX.Element {
  const { model } = usePage()
  const [found, setFound] = useState<StateResult<ObjectState> | string>()
  const [asked, ask] = useState(0)
  useEffect(() => {
    let isWanted = true
    const show = (result: StateResult<ObjectState> | string): void => {
      if (isWanted) setFound(result)
    }
    model.objectsOf(owner).then(show, (error: unknown) => show(messageOf(error)))
    return () => {
      isWanted = false
    }
  }, [owner, asked])
  return (
    <div class="objects" role="region" aria-label="Objects of the ledger" aria-live="polite">
      <div class="objects-head">
        <span>
          Objects of <TabChip nodeId={owner} />
        </span>
        <button type="button" class="small" onClick={() => ask(asked + 1)}>
          Look again
        </button>
      </div>
      {found === undefined ? (
        <p class="soft">Asking the room …</p>
      ) : typeof found === 'string' ? (
        <p class="soft">{found}</p>
      ) : (
        <Found result={found} />
      )}
    </div>
  )
}

function Found({ result }: { readonly result: StateResult<ObjectState> }): JSX.Element {
  const { rows, warnings } = result
  // Whatever made what is at home: no recipe is kept of it, and people know it by that name all the same.
  const names = new Map(rows.map(({ objectId, taskName }) => [objectId, taskName]))
  return (
    <>
      {rows.length === 0 && <p class="soft">None at this moment.</p>}
      <ul class="object-list">
        {rows.map((row) => (
          <li key={row.objectId}>
            <Row row={row} names={names} />
          </li>
        ))}
      </ul>
      {warnings.map((warning) => (
        <p key={warning} class="soft">
          {warning}
        </p>
      ))}
    </>
  )
}

const STATES = { PENDING: 'not made yet', AVAILABLE: '', LOST: 'all copies gone', FAILED: 'failed' } as const

type Names = ReadonlyMap<string, string | undefined>

function Row({ row, names }: { readonly row: ObjectState; readonly names: Names }): JSX.Element {
  const { objectId, state, sizeBytes, taskName, locations, lineage, replicated, referenceCounts } = row
  const facts = [STATES[state], sizeBytes === undefined ? '' : formatBytes(sizeBytes)].filter((fact) => fact !== '')
  const tree = lineage && lineageTree(lineage.objects)
  return (
    <details>
      <summary>
        <Name objectId={objectId} taskName={taskName} />{' '}
        <span class="soft">{facts.map((fact) => `· ${fact}`).join(' ')}</span>
      </summary>
      <dl class="object-facts">
        <Tabs term="Copies in" nodes={locations} none="no tab yet" />
        <Tabs term="Records in" nodes={replicated?.successors ?? []} none="its owner alone" />
        <div>
          <dt>Referred to by</dt>
          <dd>{referencesOf(referenceCounts)}</dd>
        </div>
      </dl>
      {tree === undefined || tree.taskName === undefined ? (
        <p class="soft">
          {state === 'PENDING' ? 'Its task is not known here.' : 'No task is kept that would make it again.'}
        </p>
      ) : (
        <>
          <p class="soft">{state === 'PENDING' ? 'Made by' : 'Would be made again by'}</p>
          <ul class="lineage">
            <LineageItem node={tree} names={names} />
          </ul>
          {(lineage?.cut ?? 0) > 0 && <p class="soft">and {plural(lineage?.cut ?? 0, 'object')} behind these</p>}
        </>
      )}
    </details>
  )
}

/** Counts that are not zero; the first are refs of the tab that answers. */
function referencesOf({ local, borrowers, pendingTasks, recipes }: ObjectState['referenceCounts']): string {
  const parts = [
    local > 0 && `${local} in its tab`,
    borrowers > 0 && plural(borrowers, 'other tab'),
    pendingTasks > 0 && plural(pendingTasks, 'waiting task'),
    recipes > 0 && plural(recipes, 'recipe'),
  ].filter((part) => part !== false)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

function LineageItem({ node, names }: { readonly node: LineageNode; readonly names: Names }): JSX.Element {
  const { objectId, taskName, isRepeated, needs } = node
  return (
    <li>
      <Name objectId={objectId} taskName={taskName ?? names.get(objectId)} />{' '}
      {isRepeated && <small class="soft">see above</small>}
      {needs.length > 0 && (
        <ul>
          {needs.map((need) => (
            <LineageItem key={need.objectId} node={need} names={names} />
          ))}
        </ul>
      )}
    </li>
  )
}

/** Of an object its function, if one makes it, and the number that its owner gave it. */
function Name({
  objectId,
  taskName,
}: {
  readonly objectId: string
  readonly taskName: string | undefined
}): JSX.Element {
  const [owner = '', number = ''] = objectId.split('/')
  return (
    <>
      <span class="object-name">{taskName ?? 'a value'}</span>{' '}
      <code title={objectId}>
        {owner.slice(0, 4)}/{number}
      </code>
    </>
  )
}

interface TabsProps {
  readonly term: string
  readonly nodes: readonly string[]
  readonly none: string
}

function Tabs({ term, nodes, none }: TabsProps): JSX.Element {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{nodes.length === 0 ? none : nodes.map((node) => <TabChip key={node} nodeId={node} />)}</dd>
    </div>
  )
}
