import type { NodeState } from '@shoal/sdk'
import { PAPER } from '../model/function-colors.ts'

export interface LinkPicture {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  readonly nodes: readonly NodeState[]
  markOf(nodeId: string): { readonly label: string; readonly color: string; readonly ink: string }
}

/** Tabs in a ring; a line for each link: direct solid, over a relay server dashed. Ways over other tabs are no lines. */
export function drawLinks({ context, width, height, nodes, markOf }: LinkPicture): void {
  context.fillStyle = PAPER
  context.fillRect(0, 0, width, height)
  const size = nodes.length > 30 ? 9 : 14
  const radius = Math.max(20, Math.min(width, height) / 2 - size - 6)
  const places = new Map(
    nodes.map(({ nodeId }, at) => {
      const angle = (2 * Math.PI * at) / nodes.length - Math.PI / 2
      const [x, y] = [width / 2 + radius * Math.cos(angle), height / 2 + radius * Math.sin(angle)]
      return [nodeId as string, { x, y }] as const
    }),
  )
  for (const { nodeId, links } of nodes) {
    const from = places.get(nodeId)
    for (const { nodeId: other, way } of links) {
      const to = places.get(other)
      if (way === 'routed' || from === undefined || to === undefined) continue
      context.strokeStyle = way === 'direct' ? '#6b7f8c' : '#8e3b9e'
      context.lineWidth = nodes.length > 30 ? 0.6 : 1.4
      context.setLineDash(way === 'direct' ? [] : [6, 4])
      context.beginPath()
      context.moveTo(from.x, from.y)
      context.lineTo(to.x, to.y)
      context.stroke()
    }
  }
  context.setLineDash([])
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.font = `700 ${size - 1}px system-ui, sans-serif`
  for (const { nodeId, isSelf } of nodes) {
    const place = places.get(nodeId)
    if (place === undefined) continue
    const { label, color, ink } = markOf(nodeId)
    context.beginPath()
    context.arc(place.x, place.y, size, 0, 2 * Math.PI)
    context.fillStyle = color
    context.fill()
    if (isSelf) {
      context.strokeStyle = '#14212b'
      context.lineWidth = 3
      context.stroke()
    }
    context.fillStyle = ink
    context.fillText(label, place.x, place.y + 0.5)
  }
}
