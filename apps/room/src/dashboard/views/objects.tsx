import type { NodeState } from '@shoal/sdk'
import type { JSX } from 'preact'
import { TabChip } from '../../components/tab-chip.tsx'
import { formatBytes, formatCount } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import { DISK } from '../model/function-colors.ts'
import { Table } from './table.tsx'

/** Bytes of objects in each tab, and the objects one by one. */
export function ObjectsView(): JSX.Element {
  const { model } = useDashboard()
  const nodes = model.nodes.value
  const { rows, total, warnings } = model.objects.value
  const known = nodes.rows.filter(({ objectStore }) => objectStore !== undefined)
  return (
    <>
      <section class="card" aria-labelledby="stores-title">
        <div class="dash-bar">
          <h2 id="stores-title">Objects by tab</h2>
          <span class="soft">
            {known.length} of {formatCount(nodes.total)} tabs
          </span>
        </div>
        <ul class="dash-progress">
          {known.map((node) => (
            <Store key={node.nodeId} node={node} />
          ))}
        </ul>
        <p class="dash-note">
          Filled: in memory. Striped: on disk alone. The line is what memory may hold; a bar is as long as the largest
          of them.
        </p>
        {nodes.warnings.map((text) => (
          <p key={text} class="dash-note">
            {text}
          </p>
        ))}
      </section>
      <Table
        title="Objects"
        total={total}
        notes={warnings}
        empty="No tab holds an object."
        columns={['Object', 'State', 'Bytes', 'Where', 'Made by']}
        rows={rows.map((row) => ({
          key: row.objectId,
          cells: [
            <small class="dash-id">{row.objectId}</small>,
            row.state,
            row.sizeBytes === undefined ? '–' : formatBytes(row.sizeBytes),
            row.locations.map((node) => <TabChip key={node} nodeId={node} />),
            row.taskName ?? 'put, or not remembered',
          ],
        }))}
      />
    </>
  )
}

function Store({ node }: { readonly node: NodeState }): JSX.Element | null {
  const { model } = useDashboard()
  const use = node.objectStore
  if (use === undefined) return null
  const stores = model.nodes.value.rows.map(({ objectStore }) =>
    Math.max(objectStore?.bytes ?? 0, objectStore?.limitBytes ?? 0),
  )
  const most = Math.max(1, ...stores)
  const inMemory = use.bytes - use.spilledBytes
  const percent = (bytes: number): string => `${(100 * bytes) / most}%`
  // As Dask: blue under its limit, orange near it.
  const isNear = inMemory > use.limitBytes * 0.7
  return (
    <li>
      <span class="dash-name">
        <TabChip nodeId={node.nodeId} /> {model.nameOf(node.nodeId)}
      </span>
      <span class="dash-counts">
        {formatCount(use.objects)} objects, {formatBytes(inMemory)} of {formatBytes(use.limitBytes)} in memory
        {isNear && ' (nearly full)'}
        {use.spilledBytes > 0 && `, ${formatBytes(use.spilledBytes)} on disk`}
      </span>
      <span class="dash-fill" aria-hidden="true">
        <i style={{ width: percent(inMemory), background: isNear ? DISK : '#3b82c4' }} />
        <i
          style={{
            width: percent(use.spilledBytes),
            background: 'repeating-linear-gradient(120deg, #7a8790 0 4px, #c3ccd2 4px 8px)',
          }}
        />
        <b style={{ left: percent(use.limitBytes) }} />
      </span>
    </li>
  )
}
