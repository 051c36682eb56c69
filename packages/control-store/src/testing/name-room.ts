import { seededRandom } from '@shoal/base'
import type { Random } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import type { ActorId, NodeId, Session } from '@shoal/protocol'
import { nameKey } from '../names/name-key.ts'
import type { ActorName } from '../names/name-key.ts'
import { NameMachine } from '../names/name-machine.ts'
import type { NameEffect, NameMessage } from '../names/name-machine.ts'

const show = (name: ActorName, { owner, number }: ActorId): string => `${nameKey(name)} ${owner} ${number}`

export interface NameNode {
  readonly id: NodeId
  session: Session
  machine: NameMachine
  /** What it takes for alive, as its membership has told it so far. */
  readonly view: Map<NodeId, Session>
}

type Told = Exclude<NameEffect, { readonly type: 'send' }>

/**
 * Nodes with late and unequal views, and sessions that deliver once and in order: a packet waits until its receiver has
 * met the sender's session, and is dropped when either of the two sessions is over. `step` does one thing by chance.
 */
export class NameRoom {
  readonly nodes: NameNode[] = []
  readonly random: Random
  readonly told: (Told & { readonly at: NodeId })[] = []
  /** Claims open now, and holders by name as their nodes were told. */
  readonly open = new Set<string>()
  readonly holders = new Map<string, Set<string>>()
  readonly #lines = new Map<
    string,
    { from: NameNode; fromSession: Session; to: NodeId; toSession: Session; message: NameMessage }[]
  >()
  #side = new Map<NodeId, number>()
  #nextActor = 1
  messages = 0

  constructor(seed: number, count: number) {
    this.random = seededRandom(seed)
    for (let i = 0; i < count; i++) this.join()
    this.settle()
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random.float() * list.length)] as T
  }

  join(): NameNode {
    const id = randomNodeId(this.random)
    const node = { id, session: 1, machine: new NameMachine(id, 1), view: new Map([[id, 1]]) }
    this.nodes.push(node)
    return node
  }

  /** Gone at once; the others learn of it one by one. */
  leave(node: NameNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    for (const [name, holders] of this.holders)
      for (const holder of [...holders]) if (holder.includes(`${name} ${node.id} `)) holders.delete(holder)
    for (const claim of [...this.open]) if (claim.includes(` ${node.id} `)) this.open.delete(claim)
  }

  claim(node: NameNode, name: ActorName, number = this.#nextActor++): ActorId {
    const actor = { owner: node.id, number }
    this.open.add(show(name, actor))
    this.apply(node, node.machine.claim(name, actor))
    return actor
  }

  release(node: NameNode, name: ActorName): void {
    for (const holder of [...(this.holders.get(nameKey(name)) ?? [])]) {
      const [, owner, number] = holder.split(' ')
      if (owner !== node.id) continue
      this.holders.get(nameKey(name))?.delete(holder)
      this.apply(node, node.machine.release(name, { owner: node.id, number: Number(number) }))
    }
  }

  partition(): void {
    this.#side = new Map(this.nodes.map(({ id }) => [id, this.random.float() < 0.5 ? 0 : 1]))
  }

  /** Who was taken for dead begins a new session, as it hears of that. */
  heal(): void {
    this.#side.clear()
    for (const node of this.nodes) {
      const isGivenUp = this.nodes.some(({ view }) => view.get(node.id) !== node.session)
      if (!isGivenUp) continue
      node.session++
      node.view.set(node.id, node.session)
      this.apply(node, node.machine.members(node.view))
    }
  }

  /** Delivers one packet, or lets one node see one change of who lives. False: there is nothing to do. */
  step(): boolean {
    const changes = this.#changes()
    const lines = [...this.#lines].filter(([, line]) => line.length > 0 && this.#isDue(line[0]))
    const total = changes.length + lines.length
    if (total === 0) return false
    const choice = Math.floor(this.random.float() * total)
    if (choice < changes.length) changes[choice]?.()
    else this.#deliver(lines[choice - changes.length]?.[1] ?? [])
    return true
  }

  settle(): void {
    for (let steps = 0; this.step(); steps++) if (steps > 200_000) throw new Error('the room never falls silent')
  }

  apply(node: NameNode, effects: readonly NameEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.#send(node, effect.to, effect.message)
      else this.#tell(node, effect)
    }
  }

  #tell(node: NameNode, effect: Told): void {
    this.told.push({ ...effect, at: node.id })
    const claim = show(effect.name, effect.actor)
    const holders = this.holders.get(nameKey(effect.name)) ?? new Set()
    this.holders.set(nameKey(effect.name), holders)
    if (effect.type === 'lost') {
      if (!holders.delete(claim)) throw new Error(`D3: ${claim} lost what it does not hold`)
      return
    }
    if (!this.open.delete(claim)) throw new Error(`D3: ${claim} was told ${effect.type} without an open claim`)
    if (effect.type === 'won') holders.add(claim)
  }

  #changes(): (() => void)[] {
    return this.nodes.flatMap((node) => {
      const seen = new Map(
        this.nodes.filter((other) => !this.#isCut(node.id, other.id)).map(({ id, session }) => [id, session]),
      )
      const ids = new Set([...seen.keys(), ...node.view.keys()])
      return [...ids]
        .filter((id) => seen.get(id) !== node.view.get(id))
        .map((id) => () => {
          const session = seen.get(id)
          // A session ends before the next one begins, as with membership's verdicts.
          if (session === undefined || node.view.has(id)) node.view.delete(id)
          else node.view.set(id, session)
          this.apply(node, node.machine.members(node.view))
        })
    })
  }

  #isCut(a: NodeId, b: NodeId): boolean {
    return this.#side.get(a) !== this.#side.get(b) && this.#side.has(a) && this.#side.has(b)
  }

  #send(from: NameNode, to: NodeId, message: NameMessage): void {
    const toSession = from.view.get(to)
    if (toSession === undefined) return
    this.messages++
    const key = `${from.id}/${from.session} ${to}/${toSession}`
    const line = this.#lines.get(key) ?? []
    line.push({ from, fromSession: from.session, to, toSession, message })
    this.#lines.set(key, line)
  }

  #isDue(packet: { from: NameNode; fromSession: Session; to: NodeId; toSession: Session } | undefined): boolean {
    if (packet === undefined) return false
    const to = this.nodes.find(({ id }) => id === packet.to)
    const isOver = to === undefined || to.session > packet.toSession || packet.from.session > packet.fromSession
    if (isOver || !this.nodes.includes(packet.from)) return true
    return !this.#isCut(packet.from.id, packet.to) && to.view.get(packet.from.id) === packet.fromSession
  }

  #deliver(
    line: { from: NameNode; fromSession: Session; to: NodeId; toSession: Session; message: NameMessage }[],
  ): void {
    const packet = line.shift()
    const to = this.nodes.find(({ id }) => id === packet?.to)
    if (packet === undefined || to?.session !== packet.toSession) return
    if (to.view.get(packet.from.id) !== packet.fromSession) return
    this.apply(to, to.machine.receive(packet.from.id, packet.message))
  }
}
