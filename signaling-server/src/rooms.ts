import type { FromSignalingServer, Member, NodeId, Refusal, RoomId } from '@shoal/protocol'
import type { ServerLimits } from './limits.ts'

/** How a room reaches one member. */
export interface MemberPort {
  send(message: FromSignalingServer): void
  refuse(reason: Refusal, message: string): void
}

interface Seat {
  readonly member: Member
  readonly port: MemberPort
}

/** A place in a room. `leave` is idempotent, and does nothing once another connection of the same node took over. */
export interface Place {
  readonly others: readonly Member[]
  relay(to: NodeId, blob: Uint8Array<ArrayBuffer>): void
  leave(): void
}

/** Who is in which room, and who hears of it. A node has one seat; the later connection of its latest session holds it. */
export class Rooms {
  readonly #rooms = new Map<RoomId, Map<NodeId, Seat>>()
  readonly #limits: ServerLimits

  constructor(limits: ServerLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#rooms.size
  }

  get members(): number {
    let total = 0
    for (const seats of this.#rooms.values()) total += seats.size
    return total
  }

  join(
    room: RoomId,
    member: Member,
    port: MemberPort,
  ): Place | { readonly refusal: Refusal; readonly message: string } {
    const seats = this.#rooms.get(room) ?? new Map<NodeId, Seat>()
    const before = seats.get(member.node)
    if (before && before.member.session > member.session) {
      return { refusal: 'replaced', message: `session ${before.member.session} of this node is here` }
    }
    if (seats.size === 0 && this.#rooms.size >= this.#limits.rooms) {
      return { refusal: 'server-full', message: `this server holds ${this.#limits.rooms} rooms already` }
    }
    if (!before && seats.size >= this.#limits.roomMembers) {
      return { refusal: 'room-full', message: `this room has ${this.#limits.roomMembers} members already` }
    }
    const seat: Seat = { member, port }
    this.#rooms.set(room, seats)
    seats.set(member.node, seat)
    before?.port.refuse('replaced', 'this node connected again')
    const others = [...seats.values()].filter((other) => other !== seat)
    for (const other of others) other.port.send({ type: 'joined', member })
    return {
      others: others.map((other) => other.member),
      relay: (to, blob) => {
        if (seats.get(member.node) !== seat) return
        seats.get(to)?.port.send({ type: 'relay', from: member.node, blob })
      },
      leave: () => {
        if (seats.get(member.node) !== seat) return
        seats.delete(member.node)
        if (seats.size === 0) this.#rooms.delete(room)
        for (const other of seats.values()) other.port.send({ type: 'left', member })
      },
    }
  }
}
