import type { NodeId, Session } from '@shoal/protocol'

/** One direction between two sessions. */
interface Stream {
  readonly sent: number[]
  deliveredCount: number
}

/** One life of one node. */
export interface Life {
  readonly node: NodeId
  readonly session: Session
}

/**
 * The ghost log of messages: what was sent and delivered between sessions, and which sessions each life holds for dead.
 * It sees all nodes at once, as no node can, and reports each break of L1 and L2 when it happens.
 */
export class SessionGhost {
  readonly violations: string[] = []
  readonly #streams = new Map<string, Stream>()
  /** observer -> node -> the highest session it holds for over. */
  readonly #over = new Map<string, Map<NodeId, Session>>()
  #sentCount = 0
  #deliveredCount = 0

  get sentCount(): number {
    return this.#sentCount
  }

  get deliveredCount(): number {
    return this.#deliveredCount
  }

  /** The number to put into the next message of this stream. */
  sent(from: Life, to: Life): number {
    const stream = this.#stream(from, to)
    stream.sent.push(stream.sent.length)
    this.#sentCount++
    return stream.sent.length - 1
  }

  delivered(from: Life, to: Life, number: number): void {
    this.#deliveredCount++
    const stream = this.#stream(from, to)
    const path = `${show(from)} > ${show(to)}`
    if (number >= stream.sent.length) this.violations.push(`L1: ${path} delivered message ${number}, never sent`)
    else if (number !== stream.deliveredCount) {
      this.violations.push(`L1: ${path} delivered message ${number} where ${stream.deliveredCount} was next`)
    }
    stream.deliveredCount = Math.max(stream.deliveredCount, number + 1)
    const over = this.#overAt(to).get(from.node) ?? -1
    if (from.session <= over) this.violations.push(`L2: ${path} delivered message ${number} after the session was over`)
  }

  /** The observer recorded the session, and all before it, as over. */
  over(observer: Life, ended: Life): void {
    const sessions = this.#overAt(observer)
    sessions.set(ended.node, Math.max(sessions.get(ended.node) ?? -1, ended.session))
  }

  /** L1's second half, for two live and connected lives some time after the last send. */
  checkComplete(from: Life, to: Life): void {
    const { sent, deliveredCount } = this.#stream(from, to)
    if (deliveredCount === sent.length) return
    this.violations.push(`L1: ${show(from)} > ${show(to)} delivered ${deliveredCount} of ${sent.length} when quiet`)
  }

  #stream(from: Life, to: Life): Stream {
    const key = `${from.node}/${from.session}>${to.node}/${to.session}`
    let stream = this.#streams.get(key)
    if (stream === undefined) this.#streams.set(key, (stream = { sent: [], deliveredCount: 0 }))
    return stream
  }

  #overAt(observer: Life): Map<NodeId, Session> {
    const key = `${observer.node}/${observer.session}`
    let sessions = this.#over.get(key)
    if (sessions === undefined) this.#over.set(key, (sessions = new Map()))
    return sessions
  }
}

export function show({ node, session }: Life): string {
  return `${node.slice(0, 4)}/${session}`
}
