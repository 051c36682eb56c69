import { must, randomInt } from '@shoal/base'
import type { NodeId } from '@shoal/protocol'
import type { LedgerRoom, Seat, SeatTab } from './ledger-room.ts'
import type { SimRandom } from './sim-random.ts'

/** Faults that no task may notice. */
const MILD = ['cut', 'failed link', 'pause', 'signaling restart', 'slow'] as const
/** Tabs go, and never more of them at once than a ledger's list has devices. */
const DEATHS = [
  'kill',
  'goodbye',
  'successor dies',
  'owner and successor die',
  'dies handing on',
  'join storm',
] as const
const DEVICES = ['device dies'] as const
/** Verdicts about the living. */
const FREEZES = ['freeze', 'owner thaws', 'very slow'] as const
const SPLITS = ['split in halves', 'split off a few', 'long cut'] as const

export type Fault =
  | (typeof MILD)[number]
  | (typeof DEATHS)[number]
  | (typeof DEVICES)[number]
  | (typeof FREEZES)[number]
  | (typeof SPLITS)[number]

export const LEDGER_PROFILES = ['mild', 'deaths', 'devices', 'freezes', 'splits', 'harsh'] as const
export type LedgerProfile = (typeof LEDGER_PROFILES)[number]

const FAULTS: Readonly<Record<LedgerProfile, readonly Fault[]>> = {
  mild: MILD,
  deaths: [...MILD, ...DEATHS, ...DEATHS],
  devices: [...MILD, ...DEATHS, ...DEVICES, ...DEVICES, ...DEVICES],
  freezes: [...MILD, ...FREEZES, ...FREEZES],
  splits: [...MILD, ...SPLITS],
  harsh: [...MILD, ...DEATHS, ...DEVICES, ...FREEZES, ...SPLITS],
}

/** Every fault that some profile has, for who looks for the shortest log. */
export function faultsOf(profile: LedgerProfile): readonly Fault[] {
  return [...new Set(FAULTS[profile])]
}

/** What a verdict takes at most, and who takes over then. */
const HUNT_MS = 8_000
const LOOK_MS = 4

/**
 * What goes wrong in a room of whole nodes, at random or when the simulator sees the moment for it. Each fault draws from
 * a stream of its own, so that one that is left out shifts no other.
 */
export class LedgerFaults {
  readonly #room: LedgerRoom
  readonly #faults: readonly Fault[]
  readonly #without: ReadonlySet<Fault>
  readonly #random: SimRandom
  #count = 0

  constructor(room: LedgerRoom, profile: LedgerProfile, without: readonly Fault[]) {
    this.#room = room
    this.#faults = FAULTS[profile]
    this.#without = new Set(without)
    this.#random = room.world.random.fork('faults')
  }

  start(untilMs: number): void {
    const { clock } = this.#room.world
    const step = (): void => {
      if (clock.now() >= untilMs) return
      const random = this.#random.fork(`fault ${++this.#count}`)
      const fault = must(this.#faults[randomInt(random, this.#faults.length)])
      if (!this.#without.has(fault)) this.#happen(fault, random)
      clock.after(between(this.#random, 300, 2_000), step)
    }
    clock.after(300, step)
  }

  #happen(fault: Fault, random: SimRandom): void {
    const room = this.#room
    const { network } = room.world
    const one = pick(random, room.present())
    const other = pick(
      random,
      room.present().filter((seat) => seat !== one),
    )
    const victim = pick(
      random,
      room.present().filter(({ mayDie }) => mayDie),
    )
    if (one === undefined || other === undefined || victim === undefined) return
    const [a, b] = [one.tab.ports.node, other.tab.ports.node]
    const forMs = (min: number, max: number): number => between(random, min, max)
    room.world.trace.add(
      `fault: ${fault} of ${one.tab.ports.name}, ${other.tab.ports.name} or ${victim.tab.ports.name}`,
    )
    switch (fault) {
      case 'cut':
        return this.#cut(fault, a, b, random.float() < 0.5, forMs(50, 2_500))
      case 'failed link':
        room.count(fault)
        return network.failLinks(a, b)
      case 'pause':
        return this.#freeze(fault, one, forMs(50, 2_000))
      case 'signaling restart':
        room.count(fault)
        return network.signaling.restart(forMs(100, 2_000))
      case 'slow':
        return this.#slow(fault, one, 3, forMs(1_000, 5_000))
      case 'kill':
      case 'goodbye':
        return room.kill(victim, fault === 'goodbye', fault)
      case 'successor dies':
        return this.#successorDies(victim)
      case 'owner and successor die':
        return this.#bothDie(victim, forMs(0, 900))
      case 'dies handing on':
        return this.#diesHandingOn(random)
      case 'join storm':
        return this.#joinStorm(2 + randomInt(random, 5), forMs(3_000, 8_000))
      case 'device dies':
        return this.#deviceDies(random)
      case 'freeze':
        room.verdictMs.push(room.world.clock.now())
        return this.#freeze(fault, one, forMs(3_000, 9_000))
      case 'owner thaws':
        return this.#thawsWhileGathered(victim)
      case 'very slow':
        room.verdictMs.push(room.world.clock.now())
        return this.#slow(fault, one, 40, forMs(8_000, 14_000))
      case 'split in halves':
        return this.#split(fault, Math.floor(room.present().length / 2), random)
      case 'split off a few':
        return this.#split(fault, 1 + randomInt(random, 2), random)
      case 'long cut':
        room.verdictMs.push(room.world.clock.now())
        return this.#cut(fault, a, b, random.float() < 0.5, forMs(4_000, 12_000))
    }
  }

  #cut(fault: Fault, from: NodeId, to: NodeId, isBothWays: boolean, forMs: number): void {
    const { clock, network } = this.#room.world
    this.#room.count(fault)
    network.cut(from, to)
    if (isBothWays) network.cut(to, from)
    clock.after(forMs, () => {
      network.heal(from, to)
      if (isBothWays) network.heal(to, from)
    })
  }

  #freeze(fault: Fault, { tab }: Seat & SeatTab, forMs: number): void {
    if (tab.ports.clock.isFrozen) return
    this.#room.count(fault)
    tab.ports.clock.freeze(true)
    this.#room.world.clock.after(forMs, () => tab.ports.clock.freeze(false))
  }

  #slow(fault: Fault, seat: Seat & SeatTab, factor: number, forMs: number): void {
    const { clock } = seat.tab.ports
    this.#room.count(fault)
    clock.slow(factor)
    if (factor > 10) seat.isVerySlow = true
    this.#room.world.clock.after(forMs, () => {
      clock.slow(1)
      seat.isVerySlow = false
    })
  }

  /** Whoever takes a dead tab's ledger over dies itself before all reports are in. */
  #successorDies(victim: Seat & SeatTab): void {
    const owner = victim.tab.ports.node
    this.#room.kill(victim, false, 'kill')
    this.#when(
      () => this.#room.present().find((seat) => seat.mayDie && this.#room.gathers(seat.tab, owner)),
      (seat) => this.#room.kill(seat, false, 'successor dies while gathering'),
    )
  }

  #bothDie(victim: Seat & SeatTab, afterMs: number): void {
    const owner = victim.tab.ports.node
    const [first] = victim.tab.node.ledgers().find((ledger) => ledger.owner === owner)?.successors ?? []
    const successor = this.#room.present().find(({ tab }) => tab.ports.node === first)
    if (successor?.mayDie !== true) return
    this.#room.kill(victim, false, 'kill')
    this.#room.world.clock.after(afterMs, () => {
      if (this.#room.present().includes(successor) && successor.tab.ports.node === first)
        this.#room.kill(successor, false, 'owner and successor die within 1 s')
    })
  }

  #diesHandingOn(random: SimRandom): void {
    const seats = this.#room.present().filter(({ mayDie }) => mayDie)
    const order = seats.splice(randomInt(random, seats.length)).concat(seats)
    this.#when(
      () => order.find(({ tab }) => tab !== undefined && tab.node.pinned > 0),
      (seat) => this.#room.kill(seat, false, 'dies before what it handed on is registered'),
    )
  }

  #joinStorm(count: number, stayMs: number): void {
    const { clock } = this.#room.world
    if (this.#room.isRepaired) return
    this.#room.count('join storm')
    for (let i = 0; i < count; i++) {
      const seat = this.#room.addGuest()
      clock.after(stayMs, () => {
        if (seat.tab !== undefined) this.#room.kill(seat as Seat & SeatTab, true, 'guest leaves')
      })
    }
  }

  #deviceDies(random: SimRandom): void {
    const devices = [...new Set(this.#room.present().map(({ device }) => device))].filter((device) =>
      this.#room.seats.every((seat) => seat.device !== device || seat.mayDie),
    )
    const device = pick(random, devices)
    if (device === undefined) return
    this.#room.count('all tabs of a device die')
    for (const seat of this.#room.present()) if (seat.device === device) this.#room.kill(seat, false, 'kill')
  }

  /** The owner stood still, and is back while its ledger is being gathered by another. */
  #thawsWhileGathered(victim: Seat & SeatTab): void {
    const { tab } = victim
    const owner = tab.ports.node
    if (tab.ports.clock.isFrozen) return
    this.#room.verdictMs.push(this.#room.world.clock.now())
    this.#room.count('owner thaws')
    tab.ports.clock.freeze(true)
    this.#when(
      () => this.#room.present().find((seat) => seat.tab !== tab && this.#room.gathers(seat.tab, owner)),
      () => {
        this.#room.count('owner thaws while gathering')
        tab.ports.clock.freeze(false)
      },
      () => tab.ports.clock.freeze(false),
    )
  }

  #split(fault: Fault, size: number, random: SimRandom): void {
    const room = this.#room
    const { clock, network } = room.world
    if (room.isSplit) return
    room.isSplit = true
    const all = room.present().map(({ tab }) => tab.ports.node)
    const few: NodeId[] = []
    while (few.length < size) few.push(must(all.splice(randomInt(random, all.length), 1)[0]))
    room.count(fault)
    room.verdictMs.push(clock.now())
    network.partition([few, all])
    clock.after(between(random, 6_000, 12_000), () => {
      room.isSplit = false
      if (room.answerers().some(({ nodes }) => nodes.length > 1)) room.count('healed with two answerers')
      for (const a of few)
        for (const b of all) {
          network.heal(a, b)
          network.heal(b, a)
        }
    })
  }

  /** Looks at the room until there is what it waits for; not for long. */
  #when<T>(look: () => T | undefined, found: (it: T) => void, missed?: () => void): void {
    const { clock } = this.#room.world
    const until = clock.now() + HUNT_MS
    const step = (): void => {
      const it = this.#room.isRepaired ? undefined : look()
      if (it !== undefined) found(it)
      else if (clock.now() < until && !this.#room.isRepaired) clock.after(LOOK_MS, step)
      else missed?.()
    }
    step()
  }
}

function pick<T>(random: SimRandom, items: readonly T[]): T | undefined {
  return items[randomInt(random, items.length)]
}

function between(random: SimRandom, min: number, max: number): number {
  return min + random.float() * (max - min)
}
