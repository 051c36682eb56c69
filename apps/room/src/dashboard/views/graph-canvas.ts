import { FAILED, faint, functionColor, PAPER } from '../model/function-colors.ts'
import type { GraphEdge, GraphNode, TaskGraph } from '../model/task-graph.ts'

/** CSS pixels. */
const COLUMN = 74
const ROW = 26
const NODE_WIDTH = 44
const NODE_HEIGHT = 16
const EDGES: Readonly<Record<GraphEdge['kind'], { readonly color: string; readonly dash: readonly number[] }>> = {
  data: { color: '#51616c', dash: [] },
  control: { color: '#2563a8', dash: [6, 4] },
  stateful: { color: '#8a4f9e', dash: [1.5, 3] },
}
const MOST_ZOOM = 2
const MOST_LETTERS = 9

export interface GraphView {
  readonly width: number
  readonly height: number
  /** Of the graph's own pixels at the picture's left and top edge. */
  readonly x: number
  readonly y: number
  readonly zoom: number
}

export interface GraphBounds {
  readonly left: number
  readonly right: number
  readonly bottom: number
}

export function boundsOf(graph: TaskGraph): GraphBounds {
  let [left, right, bottom] = [Infinity, 0, 0]
  for (const node of graph.nodes) {
    left = Math.min(left, node.layer * COLUMN)
    right = Math.max(right, node.layer * COLUMN + NODE_WIDTH)
    bottom = Math.max(bottom, node.slot * ROW + NODE_HEIGHT)
  }
  return { left: Number.isFinite(left) ? left : 0, right, bottom }
}

/** The newest end of the graph, as much of it as is readable. */
export function newestView(graph: TaskGraph, width: number, height: number): GraphView {
  const { left, right, bottom } = boundsOf(graph)
  const zoom = Math.min(1.2, Math.max(0.45, Math.min((height - 24) / (bottom + 1), (width - 24) / (right - left + 1))))
  const fits = (right - left) * zoom <= width - 24
  return { width, height, zoom, x: fits ? left - 12 / zoom : right - (width - 12) / zoom, y: -12 / zoom }
}

export function zoomed(view: GraphView, factor: number): GraphView {
  const zoom = Math.min(MOST_ZOOM, Math.max(0.15, view.zoom * factor))
  const [cx, cy] = [view.x + view.width / 2 / view.zoom, view.y + view.height / 2 / view.zoom]
  return { ...view, zoom, x: cx - view.width / 2 / zoom, y: cy - view.height / 2 / zoom }
}

export function nodeAt(graph: TaskGraph, view: GraphView, x: number, y: number): GraphNode | undefined {
  const [gx, gy] = [view.x + x / view.zoom, view.y + y / view.zoom]
  for (const node of graph.nodes) {
    const [left, top] = [node.layer * COLUMN, node.slot * ROW]
    if (gx >= left - 4 && gx <= left + NODE_WIDTH + 4 && gy >= top - 4 && gy <= top + NODE_HEIGHT + 4) return node
  }
  return undefined
}

/** Data: solid. Control: dashed. Order of an actor's calls: dotted. Objects that no known task makes are circles. */
export function drawGraph(
  context: CanvasRenderingContext2D,
  graph: TaskGraph,
  view: GraphView,
  placeOf: (name: string) => number,
  picked: string | undefined,
): void {
  const { width, height, zoom, x, y } = view
  context.fillStyle = PAPER
  context.fillRect(0, 0, width, height)
  context.save()
  context.scale(zoom, zoom)
  context.translate(-x, -y)
  const [right, bottom] = [x + width / zoom, y + height / zoom]
  const isSeen = (node: GraphNode): boolean =>
    node.layer * COLUMN < right &&
    node.layer * COLUMN + NODE_WIDTH > x &&
    node.slot * ROW < bottom &&
    node.slot * ROW + NODE_HEIGHT > y
  for (const kind of ['data', 'control', 'stateful'] as const) {
    const { color, dash } = EDGES[kind]
    context.strokeStyle = color
    context.lineWidth = kind === 'stateful' ? 2 : 1.2
    context.setLineDash([...dash])
    context.beginPath()
    for (const edge of graph.edges) {
      if (edge.kind !== kind || (!isSeen(edge.from) && !isSeen(edge.to))) continue
      const [x0, y0] = [edge.from.layer * COLUMN + NODE_WIDTH, edge.from.slot * ROW + NODE_HEIGHT / 2]
      const [x1, y1] = [edge.to.layer * COLUMN, edge.to.slot * ROW + NODE_HEIGHT / 2]
      const bend = Math.max(14, (x1 - x0) / 2)
      context.moveTo(x0, y0)
      context.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1)
    }
    context.stroke()
  }
  context.setLineDash([])
  context.font = '10px system-ui, sans-serif'
  context.textBaseline = 'middle'
  for (const node of graph.nodes)
    if (isSeen(node)) drawNode(context, node, placeOf(node.name), node.id === picked, zoom)
  context.restore()
}

function drawNode(
  context: CanvasRenderingContext2D,
  node: GraphNode,
  place: number,
  isPicked: boolean,
  zoom: number,
): void {
  const [left, top] = [node.layer * COLUMN, node.slot * ROW]
  const color = functionColor(place)
  context.beginPath()
  if (node.state === 'object') context.arc(left + NODE_WIDTH - 7, top + NODE_HEIGHT / 2, 5, 0, 2 * Math.PI)
  else context.roundRect(left, top, NODE_WIDTH, NODE_HEIGHT, 4)
  context.fillStyle =
    node.state === 'object' || node.state === 'waiting'
      ? '#ffffff'
      : node.state === 'failed'
        ? FAILED
        : node.state === 'running'
          ? faint(color)
          : color
  context.fill()
  context.strokeStyle = isPicked ? '#000000' : node.state === 'object' ? '#51616c' : color
  context.lineWidth = isPicked ? 3 : 1.5
  context.stroke()
  if (node.state === 'object' || zoom < 0.6) return
  context.fillStyle = node.state === 'finished' || node.state === 'failed' ? '#ffffff' : '#14212b'
  const label = node.state === 'failed' ? `× ${node.name}` : node.name
  // Cut by letters: a clip for each costs more than the rest.
  const text = label.length > MOST_LETTERS ? `${label.slice(0, MOST_LETTERS - 1)}…` : label
  context.fillText(text, left + 3, top + NODE_HEIGHT / 2 + 0.5, NODE_WIDTH - 5)
}
