import { randomInt } from '@shoal/base'
import type { NodeId } from '@shoal/protocol'
import { ALL_GUARDS } from '@shoal/transport/testing'
import type { OverlayGuards } from '@shoal/transport/testing'
import { OverlayParticipant } from './overlay-participant.ts'
import { SessionGhost, show } from './session-ghost.ts'
import type { SimRandom } from './sim-random.ts'
import { SimWorld } from './sim-world.ts'
import type { SimIdentity } from './sim-world.ts'

export interface OverlayScenarioOptions {
  readonly seed: number
  /** 3 to 8. */
  readonly nodes: number
  /** Simulated time in which messages are sent and faults happen. Default 30 s. */
  readonly busyMs?: number
  readonly guards?: Partial<OverlayGuards>
}

export interface SimResult {
  readonly seed: number
  /** R2: over everything that happened. */
  readonly hash: string
  readonly events: number
  readonly violations: readonly string[]
  /** How often each fault and each rare event came up: a run that saw none of them proved nothing. */
  readonly counters: Readonly<Record<string, number>>
  /** The newest lines of the trace. */
  readonly log: readonly string[]
}

/** No fault for so long is quiet; L1 grants 5 s more. */
const QUIET_MS = 20_000
const SETTLE_MS = 2_000
const LARGEST_PADDING = 150_000

/**
 * Three to eight overlays on a bad network: random sends under latency, cuts both ways and one way, failing links,
 * frozen nodes, false verdicts, killed and reborn sessions, restarts of the signaling server. Then quiet, then the end.
 * L1 and L2 are checked throughout, R1 at the end.
 */
export async function runOverlayScenario(options: OverlayScenarioOptions): Promise<SimResult> {
  const world = new SimWorld({ seed: options.seed })
  const room = new OverlayRoom(world, { ...ALL_GUARDS, ...options.guards })
  for (let i = 0; i < options.nodes; i++) await room.join(`n${i}`)
  const busyMs = options.busyMs ?? 30_000
  room.startSending(busyMs)
  room.startFaults(busyMs)
  await world.clock.run(busyMs)
  room.repair()
  await world.clock.run(busyMs + QUIET_MS)
  room.checkQuiet()
  room.close()
  await world.clock.run(busyMs + QUIET_MS + SETTLE_MS)
  return {
    seed: options.seed,
    hash: world.trace.hash(),
    events: world.clock.firedCount,
    violations: [...room.ghost.violations, ...world.leaks()],
    counters: room.counters(),
    log: world.trace.tail(200),
  }
}

interface Seat {
  readonly identity: SimIdentity
  session: number
  /** Undefined between two lives. */
  life: OverlayParticipant | undefined
}

class OverlayRoom {
  readonly ghost = new SessionGhost()
  readonly #world: SimWorld
  readonly #guards: OverlayGuards
  readonly #random: SimRandom
  readonly #seats: Seat[] = []
  readonly #counters: Record<string, number> = {}
  #isRepaired = false

  constructor(world: SimWorld, guards: OverlayGuards) {
    this.#world = world
    this.#guards = guards
    this.#random = world.random.fork('scenario')
  }

  async join(name: string): Promise<void> {
    const seat: Seat = { identity: await this.#world.identity(name), session: 0, life: undefined }
    this.#seats.push(seat)
    this.#world.clock.after(this.#between(0, 1_000), () => {
      this.#raise(seat)
    })
  }

  startSending(untilMs: number): void {
    const random = this.#world.random.fork('sends')
    const { clock } = this.#world
    const step = (): void => {
      if (clock.now() >= untilMs) return
      const from = this.#pick(this.#lives().filter((life) => !life.ports.clock.isFrozen))
      const to = from && this.#pick(from.targets)
      if (from !== undefined && to !== undefined) {
        // Mostly a few small ones in one batch, now and then one that fills a packet.
        const count = 1 + randomInt(random, 5)
        const isLarge = random.float() < 0.03
        for (let i = 0; i < count; i++) from.send(to, isLarge ? randomInt(random, LARGEST_PADDING) : 0)
      }
      clock.after(random.float() * 60, step)
    }
    step()
  }

  startFaults(untilMs: number): void {
    const { clock } = this.#world
    const step = (): void => {
      if (clock.now() >= untilMs) return
      this.#fault()
      clock.after(this.#between(300, 3_000), step)
    }
    clock.after(2_000, step)
  }

  /** All faults end; who has no life gets one. */
  repair(): void {
    this.#isRepaired = true
    this.#world.network.healAll()
    for (const seat of this.#seats) {
      seat.life?.ports.clock.freeze(false)
      if (seat.life === undefined) this.#raise(seat)
    }
  }

  checkQuiet(): void {
    for (const from of this.#lives()) {
      for (const to of this.#lives()) {
        if (from === to) continue
        this.ghost.checkComplete(from, to)
        if (!from.isLinkedTo(to)) {
          this.ghost.violations.push(`L1: ${show(from)} has no link to ${show(to)} when quiet`)
        }
      }
    }
  }

  close(): void {
    for (const life of this.#lives()) life.close('left')
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, sent: this.ghost.sentCount, delivered: this.ghost.deliveredCount }
  }

  #fault(): void {
    const [one, other] = this.#pair()
    if (one === undefined || other === undefined) return
    const { network } = this.#world
    const faults: readonly (() => void)[] = [
      () => this.#cutFor(one.node, other.node, this.#between(50, 12_000), 'cut'),
      () => {
        const forMs = this.#between(50, 12_000)
        this.#cutFor(one.node, other.node, forMs, 'cut both ways')
        this.#cutFor(other.node, one.node, forMs, 'cut both ways')
      },
      () => {
        this.#count('failed link')
        network.failLinks(one.node, other.node)
      },
      () => this.#freezeFor(one, this.#between(100, 7_000)),
      () => {
        this.#count('signaling restart')
        network.signaling.restart(this.#between(100, 3_000))
      },
      () => this.#rebirth(one),
      () => this.#falseVerdict(one, other),
    ]
    this.#pick(faults)?.()
  }

  #cutFor(from: NodeId, to: NodeId, forMs: number, name: string): void {
    this.#count(name)
    this.#world.network.cut(from, to)
    this.#world.clock.after(forMs, () => {
      this.#world.network.heal(from, to)
    })
  }

  #freezeFor(life: OverlayParticipant, forMs: number): void {
    this.#count('freeze')
    life.ports.clock.freeze(true)
    this.#world.clock.after(forMs, () => {
      life.ports.clock.freeze(false)
    })
  }

  /** A session ends, with or without a word, and the next one begins. */
  #rebirth(life: OverlayParticipant): void {
    const seat = this.#seats.find((candidate) => candidate.life === life)
    if (seat === undefined || life.ports.clock.isFrozen) return
    if (this.#random.float() < 0.3) {
      this.#count('goodbye')
      life.close('reload')
    } else this.#count('kill')
    // The goodbye is on its way when the process ends; what the process held goes with it.
    seat.life = undefined
    this.#world.clock.after(this.#between(0, 5), () => {
      this.#world.kill(life.ports)
    })
    this.#world.clock.after(this.#between(10, 2_000), () => {
      if (seat.life === undefined) this.#raise(seat)
    })
  }

  /** A live session is held for dead by one; it goes on for a while before it hears of it and begins a new one. */
  #falseVerdict(observer: OverlayParticipant, victim: OverlayParticipant): void {
    if (observer.ports.clock.isFrozen || observer.forget(victim.node) === undefined) return
    this.#count('false verdict')
    this.#world.trace.add(`${show(observer)} forgets ${victim.node.slice(0, 4)}`)
    const hear = (): void => {
      const seat = this.#seats.find((candidate) => candidate.life === victim)
      if (seat === undefined) return
      this.#world.kill(victim.ports)
      this.#raise(seat)
    }
    if (this.#isRepaired) hear()
    else this.#world.clock.after(this.#between(500, 3_000), hear)
  }

  #raise(seat: Seat): void {
    seat.session++
    const ports = this.#world.ports(seat.identity, seat.session)
    seat.life = new OverlayParticipant(ports, this.#guards, this.ghost, this.#world.trace)
  }

  #lives(): OverlayParticipant[] {
    return this.#seats.flatMap((seat) => seat.life ?? [])
  }

  #pair(): [OverlayParticipant | undefined, OverlayParticipant | undefined] {
    const lives = this.#lives()
    const one = this.#pick(lives)
    return [one, this.#pick(lives.filter((life) => life !== one))]
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[randomInt(this.#random, items.length)]
  }

  #between(min: number, max: number): number {
    return min + this.#random.float() * (max - min)
  }

  #count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1
  }
}
