import type { EndedAttempt, TaskState } from '@shoal/sdk'

export type EdgeKind = 'data' | 'control' | 'stateful'
export type GraphState = 'waiting' | 'running' | 'finished' | 'failed' | 'object'

export interface GraphNode {
  readonly id: string
  name: string
  state: GraphState
  /** One more than the largest of what it follows: edges go to the right. */
  readonly layer: number
  /** Its place in the layer. */
  readonly slot: number
}

export interface GraphEdge {
  readonly from: GraphNode
  readonly to: GraphNode
  readonly kind: EdgeKind
}

const MOST_NODES = 600
/** Tasks beside each other; more of a layer go to the next one. */
const MOST_SLOTS = 20
/** What follows nothing begins so far behind the newest layer: to the right is later. */
const BEHIND = 3
/** How many of a task's other returns an object may be of. */
const MOST_RETURNS = 64

/**
 * Tasks with what they were given, who submitted them and in which order an actor was called, as they are told: a layered
 * picture that only grows to the right, so that nothing moves that was drawn. The oldest make room, counted.
 */
export class TaskGraph {
  readonly #nodes = new Map<string, GraphNode>()
  #edges: GraphEdge[] = []
  readonly #edgeKeys = new Set<string>()
  readonly #slots = new Map<number, Set<number>>()
  readonly #lastCall = new Map<string, GraphNode>()
  #newest = 0
  readonly #returnsOf = new Map<string, string>()
  readonly #most: number
  /** Nodes that made room for newer ones. */
  removed = 0
  /** Changes with every change. */
  version = 0

  constructor(most = MOST_NODES) {
    this.#most = most
  }

  get nodes(): Iterable<GraphNode> {
    return this.#nodes.values()
  }
  get size(): number {
    return this.#nodes.size
  }
  get edges(): readonly GraphEdge[] {
    return this.#edges
  }

  node(id: string): GraphNode | undefined {
    return this.#nodes.get(id)
  }

  ended(end: EndedAttempt): void {
    const state = end.errorType === undefined ? 'finished' : 'failed'
    this.#add(end.taskId, end.name, state, end.dependencies, end.parentTaskId, end.actorId)
    for (let i = 1; i < Math.min(end.numReturns, MOST_RETURNS); i++) {
      const { owner, number } = parts(end.taskId)
      this.#returnsOf.set(`${owner}/${number + i}`, end.taskId)
    }
  }

  pending({ taskId, name, state, dependencies, parentTaskId, actorId }: TaskState): void {
    const now = state === 'RUNNING' || state === 'RUNNING_IN_RAY_GET' ? 'running' : 'waiting'
    if (dependencies.length === 0 && parentTaskId === undefined && actorId === undefined && !this.#nodes.has(taskId))
      return
    this.#add(taskId, name, now, dependencies, parentTaskId, actorId)
  }

  /** A run has told of a task that others here refer to. */
  ran(taskId: string, name: string, hasFailed: boolean): void {
    const node = this.#nodes.get(taskId)
    if (node === undefined || (node.state !== 'object' && node.state !== 'waiting' && node.state !== 'running')) return
    node.name = name
    node.state = hasFailed ? 'failed' : 'finished'
    this.version++
  }

  #add(
    id: string,
    name: string,
    state: GraphState,
    needs: readonly string[],
    parent: string | undefined,
    actor: string | undefined,
  ): void {
    const before: (readonly [GraphNode, EdgeKind])[] = needs.map((need) => [this.#makerOf(need), 'data'] as const)
    if (parent !== undefined) before.push([this.#known(parent), 'control'])
    const known = this.#nodes.get(id)
    if (actor !== undefined && known === undefined) {
      const last = this.#lastCall.get(actor) ?? (actor === id ? undefined : this.#known(actor))
      if (last !== undefined && this.#nodes.has(last.id)) before.push([last, 'stateful'])
    }
    const node =
      known ??
      this.#place(
        id,
        name,
        state,
        before.map(([each]) => each),
      )
    node.name = name
    // What has ended has ended, whatever an older answer says.
    if (state !== 'waiting' || node.state === 'object') node.state = state
    if (actor !== undefined) this.#lastCall.set(actor, node)
    for (const [from, kind] of before) this.#link(from, node, kind)
    this.version++
    this.#makeRoom()
  }

  /** The task that makes an object; of none that is known, the object itself: it was put, or its task was not told of. */
  #makerOf(object: string): GraphNode {
    return this.#known(this.#returnsOf.get(object) ?? object)
  }

  #known(id: string): GraphNode {
    return this.#nodes.get(id) ?? this.#place(id, '', 'object', [])
  }

  #place(id: string, name: string, state: GraphState, before: readonly GraphNode[]): GraphNode {
    let layer = before.reduce((most, node) => Math.max(most, node.layer + 1), Math.max(0, this.#newest - BEHIND))
    while ((this.#slots.get(layer)?.size ?? 0) >= MOST_SLOTS) layer++
    this.#newest = Math.max(this.#newest, layer)
    const taken = this.#slots.get(layer) ?? new Set<number>()
    this.#slots.set(layer, taken)
    const wish = before.length === 0 ? 0 : Math.round(before.reduce((sum, { slot }) => sum + slot, 0) / before.length)
    let slot = wish
    for (let away = 1; taken.has(slot); away++) {
      if (!taken.has(wish + away)) slot = wish + away
      else if (wish >= away) slot = wish - away
    }
    taken.add(slot)
    const node: GraphNode = { id, name, state, layer, slot }
    this.#nodes.set(id, node)
    return node
  }

  #link(from: GraphNode, to: GraphNode, kind: EdgeKind): void {
    const key = `${from.id} ${to.id} ${kind}`
    if (from === to || this.#edgeKeys.has(key)) return
    this.#edgeKeys.add(key)
    this.#edges.push({ from, to, kind })
  }

  #makeRoom(): void {
    if (this.#nodes.size <= this.#most) return
    const gone = new Set<GraphNode>()
    // A tenth at once: whoever draws looks through all edges anew each time.
    const target = Math.floor(this.#most * 0.9)
    for (const node of this.#nodes.values()) {
      if (this.#nodes.size - gone.size <= target) break
      gone.add(node)
    }
    for (const node of gone) {
      this.#nodes.delete(node.id)
      const slots = this.#slots.get(node.layer)
      slots?.delete(node.slot)
      if (slots?.size === 0) this.#slots.delete(node.layer)
    }
    this.removed += gone.size
    this.#edges = this.#edges.filter(({ from, to, kind }) => {
      const stays = !gone.has(from) && !gone.has(to)
      if (!stays) this.#edgeKeys.delete(`${from.id} ${to.id} ${kind}`)
      return stays
    })
    for (const [actor, node] of this.#lastCall) if (gone.has(node)) this.#lastCall.delete(actor)
    for (const [object, task] of this.#returnsOf) if (!this.#nodes.has(task)) this.#returnsOf.delete(object)
  }
}

function parts(id: string): { readonly owner: string; readonly number: number } {
  const at = id.lastIndexOf('/')
  return { owner: id.slice(0, at), number: Number(id.slice(at + 1)) }
}
