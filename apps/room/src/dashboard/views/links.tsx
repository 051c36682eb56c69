import type { NodeState } from '@shoal/sdk'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useElementWidth } from '../../components/use-element-width.ts'
import { formatBytes, formatDuration, plural } from '../../model/format.ts'
import { useDashboard } from '../dashboard-context.ts'
import { drawLinks } from './draw-links.ts'
import { Table } from './table.tsx'
import { Where } from './task-details.tsx'

/** Who is here, and how each tab reaches the others. */
export function LinksView(): JSX.Element {
  const { model, marks } = useDashboard()
  const { rows, total, warnings } = model.nodes.value
  const [box, width] = useElementWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (canvas.current === null || context === null || context === undefined || width === 0) return
    const height = Math.min(420, Math.max(220, width * 0.5))
    canvas.current.width = width * devicePixelRatio
    canvas.current.height = height * devicePixelRatio
    canvas.current.style.height = `${height}px`
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    drawLinks({ context, width, height, nodes: rows, markOf: (nodeId) => marks.of(nodeId) })
  }, [rows, width, marks])
  const links = rows.reduce((sum, node) => sum + node.links.filter(({ way }) => way !== 'routed').length, 0) / 2
  return (
    <>
      <section class="card" aria-labelledby="links-title">
        <div class="dash-bar">
          <h2 id="links-title">Links</h2>
          <span class="soft">
            {plural(rows.length, 'tab')}, {plural(Math.ceil(links), 'link')}
          </span>
        </div>
        <div ref={box} class="dash-paper">
          <canvas
            ref={canvas}
            role="img"
            aria-label={`${rows.length} tabs and ${Math.ceil(links)} links; the table below has each`}
          />
        </div>
        <p class="dash-note">
          Solid: a link between two tabs. Dashed: that link goes over a relay server. Ways over other tabs are in the
          table.
        </p>
      </section>
      <Table
        title="Tabs"
        total={total}
        notes={warnings}
        empty="No tab has answered yet."
        columns={['Tab', 'State', 'CPU in use', 'Links', 'Round trip', 'Sent', 'Received']}
        rows={rows.map((node) => ({ key: node.nodeId, cells: cellsOf(node) }))}
      />
    </>
  )
}

function cellsOf(node: NodeState): (JSX.Element | string)[] {
  const of = (way: 'direct' | 'relay' | 'routed'): number => node.links.filter((link) => link.way === way).length
  const ways = [
    [of('direct'), 'direct'],
    [of('relay'), 'by relay'],
    [of('routed'), 'over other tabs'],
  ] as const
  const trips = node.links.flatMap(({ roundTripMs }) => roundTripMs ?? [])
  const sum = (of_: (link: NodeState['links'][number]) => number): string =>
    formatBytes(node.links.reduce((total, link) => total + of_(link), 0))
  return [
    <Where nodeId={node.nodeId} />,
    <span class={`dash-state ${node.state}`}>{node.state}</span>,
    `${node.used['CPU'] ?? 0} of ${node.resources['CPU'] ?? 0}`,
    ways.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(', ') || 'none',
    trips.length === 0 ? '–' : `${formatDuration(Math.min(...trips))} to ${formatDuration(Math.max(...trips))}`,
    sum(({ bytesSent }) => bytesSent),
    sum(({ bytesReceived }) => bytesReceived),
  ]
}
