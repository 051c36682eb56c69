import { ByteReader, ByteWriter } from '@shoal/protocol'
import type { NodeId, NodeMessage, Session } from '@shoal/protocol'
import type { Overlay } from '@shoal/transport'
import { createGuardedOverlay } from '@shoal/transport/testing'
import type { OverlayGuards } from '@shoal/transport/testing'
import { show } from './session-ghost.ts'
import type { Life, SessionGhost } from './session-ghost.ts'
import type { SimParticipant, SimPorts } from './sim-world.ts'
import type { Trace } from './trace.ts'

/** One life of a node that does nothing but send numbered messages, and tells the ghost what it sends and hears. */
export class OverlayParticipant implements SimParticipant, Life {
  readonly ports: SimPorts
  readonly #overlay: Overlay
  readonly #ghost: SessionGhost
  /** The sessions that messages go to: linked once, and not over since. */
  readonly #reachable = new Map<NodeId, Session>()

  constructor(ports: SimPorts, guards: OverlayGuards, ghost: SessionGhost, trace: Trace) {
    this.ports = ports
    this.#ghost = ghost
    const note = (text: string): void => {
      trace.add(`${show(this)} ${text}`)
    }
    this.#overlay = createGuardedOverlay({ ...ports, self: ports }, guards)
    this.#overlay.start({
      member: (node, session, state) => {
        note(`${state} ${show({ node, session })}`)
      },
      linked: ({ node, session }) => {
        note(`linked ${show({ node, session })}`)
        ghost.over(this, { node, session: session - 1 })
        this.#reachable.set(node, session)
      },
      unlinked: (node, session) => {
        note(`unlinked ${show({ node, session })}`)
      },
      goodbye: (node, session) => {
        note(`goodbye ${show({ node, session })}`)
        this.#isOver({ node, session })
      },
      heard() {},
      hint: (node, session, state) => {
        if (node !== undefined) note(`hint ${show({ node, session })} ${state}`)
      },
      message: (from, message) => {
        const told = readProbe(message)
        note(`message ${told.number} from ${show({ node: from, session: told.fromSession })}`)
        // Kept by the pair of sessions that the sender had in mind: one meant for another life of ours shows as L1.
        ghost.delivered(
          { node: from, session: told.fromSession },
          { node: this.node, session: told.toSession },
          told.number,
        )
        if (told.toSession !== this.session) ghost.violations.push(`L1: ${show(this)} heard what another life was sent`)
      },
      bulk() {},
    })
  }

  get node(): NodeId {
    return this.ports.node
  }

  get session(): Session {
    return this.ports.session
  }

  get targets(): readonly NodeId[] {
    return [...this.#reachable.keys()]
  }

  send(to: NodeId, padding: number): void {
    const session = this.#reachable.get(to)
    if (session === undefined) return
    const number = this.#ghost.sent(this, { node: to, session })
    this.#overlay.send(to, probe(this.session, session, number, padding))
  }

  isLinkedTo(life: Life): boolean {
    return this.#overlay
      .peers()
      .some((peer) => peer.node === life.node && peer.session === life.session && peer.isNeighbour)
  }

  /** A verdict of death, right or wrong; undefined when the node is not known. */
  forget(node: NodeId): Life | undefined {
    const session = this.#reachable.get(node)
    if (session === undefined) return undefined
    const life = { node, session }
    this.#overlay.forget(node, session)
    this.#isOver(life)
    return life
  }

  close(reason: 'left' | 'closed' | 'reload'): void {
    this.#overlay.close(reason)
  }

  #isOver(life: Life): void {
    this.#ghost.over(this, life)
    if (this.#reachable.get(life.node) === life.session) this.#reachable.delete(life.node)
  }
}

interface Probe {
  readonly fromSession: Session
  readonly toSession: Session
  readonly number: number
}

function probe(fromSession: Session, toSession: Session, number: number, padding: number): NodeMessage {
  const writer = new ByteWriter()
  for (const value of [fromSession, toSession, number]) writer.varint(value)
  writer.raw(new Uint8Array(padding))
  return { type: 'directory.update', update: writer.finish() }
}

function readProbe(message: NodeMessage): Probe {
  if (message.type !== 'directory.update') throw new Error(`a ${message.type} was delivered that nobody sent`)
  const reader = new ByteReader(message.update)
  return { fromSession: reader.varint(), toSession: reader.varint(), number: reader.varint() }
}
