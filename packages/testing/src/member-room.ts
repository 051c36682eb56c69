import type { NodeId, NodeMessage, Session } from '@shoal/protocol'
import { MemberParticipant } from './member-participant.ts'
import type { MemberEvents, Verdict } from './member-participant.ts'
import { SimWorld } from './sim-world.ts'
import type { SimIdentity, SimPorts, SimWorldOptions } from './sim-world.ts'

interface Seat {
  readonly identity: SimIdentity
  session: Session
  life: MemberParticipant | undefined
}

/**
 * A room of members and nothing else, of any size: who enters, who goes and how, and every verdict that anybody gives.
 * M3 is checked throughout; a life that hears of its own death begins the next session, as a node does.
 */
export class MemberRoom {
  readonly world: SimWorld
  readonly verdicts: Verdict[] = []
  readonly violations: string[] = []
  readonly heard: { readonly by: SimPorts; readonly from: NodeId; readonly message: NodeMessage }[] = []
  readonly #overlayLateMs: number
  readonly #seats: Seat[] = []
  readonly #sessions = new Map<string, Session>()

  /** `overlayLateMs`: see `MemberParticipant`. */
  constructor({ overlayLateMs = 0, ...options }: SimWorldOptions & { readonly overlayLateMs?: number }) {
    this.#overlayLateMs = overlayLateMs
    this.world = new SimWorld(options)
  }

  /** Names are n0, n1 and so on. */
  async enter(count: number, withinMs = 1_000): Promise<void> {
    const random = this.world.random.fork(`enter ${this.#seats.length}`)
    for (let i = 0; i < count; i++) {
      const seat: Seat = {
        identity: await this.world.identity(`n${this.#seats.length}`),
        session: 0,
        life: undefined,
      }
      this.#seats.push(seat)
      this.world.clock.after(random.float() * withinMs, () => this.#raise(seat))
    }
  }

  get lives(): readonly MemberParticipant[] {
    return this.#seats.flatMap(({ life }) => life ?? [])
  }

  pass(ms: number): Promise<void> {
    return this.world.clock.run(this.world.clock.now() + ms)
  }

  /** Looks every 10 ms: asking all about all after each event is most of the work in a room of hundreds. */
  async until(holds: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.world.clock.now() + limitMs
    while (!holds()) {
      if (this.world.clock.now() >= untilMs) return false
      await this.pass(Math.min(10, untilMs - this.world.clock.now()))
    }
    return true
  }

  /** M4: everybody takes exactly the others for alive. */
  isAgreed(): boolean {
    const { lives } = this
    if (lives.length < this.#seats.filter(({ life }) => life !== undefined).length) return false
    return lives.every((one) => {
      if (one.alive().length !== lives.length - 1) return false
      return lives.every((other) => other === one || one.sessionOf(other.node) === other.ports.session)
    })
  }

  kill(life: MemberParticipant): void {
    this.#leave(life)
    this.world.kill(life.ports)
  }

  sayGoodbye(life: MemberParticipant): void {
    this.#leave(life)
    life.close('left')
    // The network takes back what is under way from a process that is gone: its last words need their time.
    this.world.clock.after(25, () => this.world.kill(life.ports))
  }

  close(): void {
    for (const life of this.lives) life.close('left')
  }

  #leave(life: MemberParticipant): void {
    const seat = this.#seats.find((candidate) => candidate.life === life)
    if (seat !== undefined) seat.life = undefined
  }

  #raise(seat: Seat): void {
    seat.session++
    const ports = this.world.ports(seat.identity, seat.session)
    const events: MemberEvents = {
      verdict: (verdict) => {
        const { by, node, session, reason, atMs } = verdict
        this.world.trace.add(`${by.name} ${atMs.toFixed(0)} ${node.slice(0, 4)}/${session} dead ${reason}`)
        this.verdicts.push(verdict)
      },
      alive: (by, node, session) => {
        this.world.trace.add(`${by.ports.name} ${node.slice(0, 4)}/${session} alive`)
        const key = `${by.node}/${by.ports.session} ${node}`
        const before = this.#sessions.get(key) ?? 0
        if (session < before) this.violations.push(`M3: ${by.ports.name} went from session ${before} to ${session}`)
        this.#sessions.set(key, session)
      },
      message: (by, from, message) => this.heard.push({ by: by.ports, from, message }),
      over: (life) => {
        if (seat.life !== life) return
        this.world.kill(life.ports)
        this.#raise(seat)
      },
    }
    seat.life = new MemberParticipant(ports, events, this.#overlayLateMs)
  }
}
