import type { NodeId } from '@shoal/protocol'
import type { NodeGuards, NodeOptions } from '@shoal/node'
import { MemorySpillStore } from '@shoal/object-store/testing'
import { createSimNode } from './sim-node.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'
import type { SimWorld } from './sim-world.ts'

/** What a driver does. */
export interface SeatWork {
  /** Its code is given leave at a place, before it is sent on from there. */
  prime(place: string): void
}

/** Where one tab after another sits down. */
export interface Seat<W extends SeatWork = SeatWork> {
  readonly name: string
  readonly device: string
  readonly isDriver: boolean
  /** The first driver stays, so that there is always a caller whose every task must come to its end. */
  readonly mayDie: boolean
  /** It came with a storm and nobody comes after it. */
  readonly isGuest: boolean
  lives: number
  tab: SimNode | undefined
  workload: W | undefined
  isVerySlow: boolean
}

export interface SeatTab {
  readonly tab: SimNode
}

export interface LedgerRoomOptions<W extends SeatWork> {
  readonly nodes: number
  readonly guards: Partial<NodeGuards>
  readonly lineage?: NodeOptions['lineage']
  /** What a driver does that has just sat down. */
  work(room: LedgerRoom<W>, seat: Seat<W>, tab: SimNode): W
  /** Whether user code keeps no ref beyond its run. Default true. */
  readonly isCollected?: boolean
  /** What user code finds by name in the workers of a tab. */
  readonly globals?: ((name: string) => Pick<SimNodeOptions, 'globals' | 'workerGlobals'>) | undefined
}

const SLOTS = 4
const GRACE_MS = 4_000
/** Of objects in memory: one large value, and no second one. */
const TIGHT_BYTES = 150_000
/** As a page does. */
const ENTER_AGAIN_MS = 100

/** The tabs of a room, those that are gone, and what the simulator sees of them all. */
export class LedgerRoom<W extends SeatWork = SeatWork> {
  readonly world: SimWorld
  readonly seats: Seat<W>[] = []
  readonly violations: string[] = []
  readonly counters: Record<string, number> = {}
  /** When tabs died, of which device. */
  readonly deaths: { readonly atMs: number; readonly device: string }[] = []
  /** When a fault began under which the living may be held for dead. */
  readonly verdictMs: number[] = []
  /** Runs begun, by label. */
  readonly runs = new Map<string, number>()
  isRepaired = false
  isSplit = false
  readonly #options: LedgerRoomOptions<W>
  readonly #entering = new Set<string>()
  readonly #raising = new Set<Promise<void>>()

  constructor(world: SimWorld, options: LedgerRoomOptions<W>) {
    this.world = world
    this.#options = options
    const { nodes } = options
    const drivers = nodes < 6 ? 2 : 3
    const devices = Math.max(3, Math.floor((nodes - 1) / 2))
    for (let i = 0; i < nodes; i++)
      this.seats.push(newSeat(`n${i}`, i === 0 ? 'first' : `device ${i % devices}`, i < drivers, i > 0, false))
  }

  /** Names of tabs that work may ask for. */
  places(): string[] {
    return this.seats.flatMap(({ isGuest, name }) => (isGuest ? [] : [name]))
  }

  present(): (Seat<W> & SeatTab)[] {
    return this.seats.filter((seat): seat is Seat<W> & SeatTab => seat.tab !== undefined)
  }

  gathers({ node }: SimNode, owner: NodeId): boolean {
    return node.isGathering(owner)
  }

  /** Who answers for each ledger that somebody answers for beside its owner, or that is known of. */
  answerers(): { readonly owner: NodeId; readonly nodes: readonly NodeId[] }[] {
    const nodes = new Map<NodeId, NodeId[]>()
    for (const { tab } of this.present())
      for (const { owner, isMine } of tab.node.ledgers()) {
        const list = nodes.get(owner) ?? []
        nodes.set(owner, list)
        if (isMine) list.push(tab.ports.node)
      }
    return [...nodes].map(([owner, list]) => ({ owner, nodes: list }))
  }

  /** A new tab sits down: a new key, so a new node. */
  raise(seat: Seat<W>): Promise<void> {
    const raising = this.#raise(seat)
    this.#raising.add(raising)
    return raising.finally(() => this.#raising.delete(raising))
  }

  #disk(): MemorySpillStore {
    const { clock } = this.world
    return new MemorySpillStore({
      wait: () => {
        this.count('a disk is used')
        return new Promise((resolve) => clock.after(5, resolve))
      },
    })
  }

  addGuest(): Seat<W> {
    const seat: Seat<W> = newSeat(`g${this.seats.length}`, `device of g${this.seats.length}`, false, true, true)
    this.seats.push(seat)
    void this.raise(seat)
    return seat
  }

  /** The tab is gone, with or without a goodbye, and somebody else comes in its place. */
  kill(seat: Seat<W> & SeatTab, hasGoodbye: boolean, what: string): void {
    const { tab } = seat
    const { clock } = this.world
    if (!seat.mayDie || (hasGoodbye && tab.ports.clock.isFrozen)) return
    this.count(what)
    this.deaths.push({ atMs: clock.now(), device: seat.device })
    this.world.trace.add(`${tab.ports.name} dies: ${what}`)
    const empty: Seat<W> = seat
    empty.tab = undefined
    seat.workload = undefined
    seat.isVerySlow = false
    if (hasGoodbye) tab.close('closed')
    // What a goodbye says leaves with the page.
    if (hasGoodbye) clock.after(5, () => this.world.kill(tab.ports))
    else this.world.kill(tab.ports)
    if (!seat.isGuest)
      clock.after(200 + this.world.random.fork(`return ${tab.ports.name}`).float() * 4_000, () => {
        if (empty.tab === undefined && !this.isRepaired) void this.raise(empty)
      })
  }

  async repair(): Promise<void> {
    this.isRepaired = true
    const { clock, network } = this.world
    network.healAll()
    for (const { tab } of this.present()) {
      tab.ports.clock.freeze(false)
      tab.ports.clock.slow(1)
    }
    await Promise.all(this.#raising)
    for (const seat of [...this.seats])
      if (seat.isGuest && seat.tab !== undefined) this.kill(seat as Seat<W> & SeatTab, true, 'guest leaves')
      else if (!seat.isGuest && seat.tab === undefined) await this.raise(seat)
    await clock.run(clock.now() + 10)
  }

  count(name: string): void {
    this.counters[name] = (this.counters[name] ?? 0) + 1
  }

  violated(text: string): void {
    this.violations.push(text)
    this.world.trace.add(`violated: ${text}`)
  }

  async #raise(seat: Seat<W>): Promise<void> {
    const { world } = this
    const name = `${seat.name}.${++seat.lives}`
    const ports = world.ports(await world.identity(name), 1)
    const collected = world.random.fork(`collector of ${name}`)
    const { isCollected = true, globals } = this.#options
    const made = globals?.(name)
    const tab = await createSimNode(ports, {
      slots: SLOTS,
      resources: { [seat.name]: 100 },
      device: seat.device,
      graceMs: GRACE_MS,
      guards: this.#options.guards,
      // Every other tab has little memory, so that large values go to its disk and come back.
      ...(this.seats.indexOf(seat) % 2 === 1 && { objectStoreBytes: TIGHT_BYTES, spillStore: this.#disk() }),
      ...(this.#options.lineage !== undefined && { lineage: this.#options.lineage }),
      ...(isCollected && { garbageDelayMs: () => collected.float() * 30 }),
      ...(seat.isDriver && { ownerKeyPair: world.ownerKeyPair }),
      onOver: () => this.#enterAgain(name, seat),
      ...made,
      globals: {
        simRun: (label: string) => {
          this.runs.set(label, (this.runs.get(label) ?? 0) + 1)
          world.trace.add(`${name} runs ${label}`)
        },
        ...made?.globals,
      },
    })
    seat.tab = tab
    if (seat.isDriver) {
      seat.workload = this.#options.work(this, seat, tab)
      for (const other of this.present()) if (!other.isGuest) seat.workload.prime(other.name)
    }
    if (!seat.isGuest) for (const { workload } of this.seats) if (workload !== seat.workload) workload?.prime(seat.name)
  }

  #enterAgain(name: string, seat: Seat<W>): void {
    if (this.#entering.has(name)) return
    this.#entering.add(name)
    this.count('enters again')
    if (seat.isVerySlow) this.count('verdict on a slow node')
    this.world.clock.after(ENTER_AGAIN_MS, () => {
      this.#entering.delete(name)
      const { tab } = seat
      if (tab?.ports.name !== name) return
      this.world.trace.add(`${name} enters again`)
      tab
        .enterAgain(this.world.nextSession(tab.ports))
        .catch((error: unknown) => this.violated(`${name} could not enter again: ${String(error)}`))
    })
  }
}

function newSeat(name: string, device: string, isDriver: boolean, mayDie: boolean, isGuest: boolean) {
  const empty = { tab: undefined, workload: undefined, isVerySlow: false }
  return { name, device, isDriver, mayDie, isGuest, lives: 0, ...empty }
}
