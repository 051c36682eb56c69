import { formatObjectId, LIMITS, ProtocolError } from '@shoal/protocol'
import type { GroupWire, JobId, NodeId, NodeMessage, ObjectId, ResourceSet } from '@shoal/protocol'
import { sumResources } from '@shoal/scheduler'
import type { HeldBundle, Scheduler, SchedulerEvent } from '@shoal/scheduler'
import type { Work } from '../work.ts'

/** What one round of an owner has set aside here: all of it or nothing. */
interface Held {
  readonly group: ObjectId
  readonly round: number
  readonly job: JobId
  readonly bundles: readonly HeldBundle[]
  isOpen: boolean
}

export interface HeldBundlesOptions {
  readonly self: NodeId
  readonly scheduler: Pick<Scheduler<Work>, 'free' | 'freeForOthers' | 'hasRoom'>
  schedule(event: SchedulerEvent<Work>): void
  /** Everything that was scheduled is decided. */
  step(): void
  /** To an owner, this node too. */
  say(to: NodeId, message: NodeMessage): void
  /** Whether this tab lends, and the peer may submit work. */
  welcomes(owner: NodeId): boolean
  later(delayMs: number, callback: () => void): void
  /** Ends what runs in these bundles: with the group if it was removed, else as if its worker had crashed. */
  endIn(group: ObjectId, keys: ReadonlySet<string>, isRemoved: boolean): void
}

/** Tasks come and go: owners that wait for room are not told of each. */
const TELL_MS = 50

/**
 * The bundles of placement groups that this tab sets aside, for owners here and elsewhere. A round of bundles is prepared (set
 * aside) -> open (all tabs of the round have theirs: work may come) -> dropped, when its owner gives it back, knows nothing
 * of it, or is gone. It decides nothing but whether there is room.
 */
export class HeldBundles {
  readonly #options: HeldBundlesOptions
  readonly #held = new Set<Held>()
  /** The latest round that was heard of each owner: an older one is refused. */
  readonly #rounds = new Map<NodeId, number>()
  /** Owners that want to know what is free, and what was when it was looked at last. */
  readonly #askers = new Map<NodeId, ResourceSet>()
  #isTelling = false

  constructor(options: HeldBundlesOptions) {
    this.#options = options
  }

  get count(): number {
    return [...this.#held].reduce((sum, { bundles }) => sum + bundles.length, 0)
  }

  /** Whether anything is set aside for that owner. */
  isFor(owner: NodeId): boolean {
    return [...this.#held].some(({ group }) => group.owner === owner)
  }

  onAsk(from: NodeId, isOver: boolean): void {
    if (isOver) this.#askers.delete(from)
    else this.#tell(from)
  }

  onPrepare(from: NodeId, { group, round, job, bundles }: GroupWire['prepare']): void {
    const { self, scheduler, schedule, step, say, welcomes } = this.#options
    if (group.owner !== from) return
    // What was asked for before it comes first.
    step()
    const indexes = new Set(bundles.map(({ index }) => index))
    if (bundles.length === 0 || indexes.size < bundles.length)
      throw new ProtocolError('malformed', 'a round of no bundles, or of one twice')
    const isNew = round > (this.#rounds.get(from) ?? 0)
    const held = [...this.#held].filter(({ group: { owner } }) => owner === from).length
    const mayHold = isNew && held < LIMITS.groups && (from === self || welcomes(from))
    const isDone = mayHold && scheduler.hasRoom(sumResources(bundles.map(({ resources }) => resources)), from !== self)
    if (isNew) this.#rounds.set(from, round)
    if (isDone) {
      const id = formatObjectId(group)
      const made = bundles.map(({ index, resources }) => ({ key: `${id} ${round} ${index}`, group, index, resources }))
      this.#held.add({ group, round, job, bundles: made, isOpen: false })
      for (const bundle of made) schedule({ type: 'bundle-held', bundle })
      step()
    }
    say(from, { type: 'group.prepared', group, round, isDone })
    // Its owner took more to be free than is.
    if (!isDone && this.#askers.has(from)) this.#tell(from)
  }

  onCommit(from: NodeId, group: ObjectId, round: number): void {
    const held = this.#find(group, round)
    if (held === undefined || group.owner !== from) return
    held.isOpen = true
    for (const { key } of held.bundles) this.#options.schedule({ type: 'bundle-open', key })
  }

  onReturn(from: NodeId, { group, round, isRemoved }: GroupWire['return']): void {
    if (group.owner !== from) return
    this.#dropWhere((held) => isOf(held, group) && (isRemoved || held.round === round), isRemoved)
  }

  /** An owner says all that it takes this tab to hold for it. */
  onCheck(from: NodeId, listed: GroupWire['check']['held']): void {
    const { say } = this.#options
    const keys = new Set(listed.map(({ group, round }) => `${formatObjectId(group)} ${round}`))
    const isListed = ({ group, round }: Held): boolean => keys.has(`${formatObjectId(group)} ${round}`)
    this.#dropWhere((held) => held.group.owner === from && !isListed(held), false)
    const missing = listed.filter(({ group, round }) => group.owner === from && !this.#find(group, round)?.isOpen)
    if (missing.length > 0) say(from, { type: 'group.missing', held: missing })
  }

  /** The owner is gone, perhaps for a while: what it had not decided it decides anew. */
  nodeGone(node: NodeId): void {
    this.#askers.delete(node)
    this.#dropWhere(({ group, isOpen }) => group.owner === node && !isOpen, false)
  }

  /** What a driver that is gone for good had made is no more. */
  jobGone(driver: NodeId): void {
    this.#rounds.delete(driver)
    this.#dropWhere(({ group, job }) => group.owner === driver || job.driver === driver, true)
  }

  /** This tab was given up by its room: others have placed anew by now what it held for them. */
  suspended(): void {
    const { self } = this.#options
    for (const owner of [...this.#askers.keys()]) if (owner !== self) this.#askers.delete(owner)
    this.#dropWhere(({ group }) => group.owner !== self, false)
  }

  /** Tasks began or ended. */
  changed(): void {
    if (this.#askers.size === 0 || this.#isTelling) return
    this.#isTelling = true
    this.#options.later(TELL_MS, () => {
      this.#isTelling = false
      for (const [owner, told] of this.#askers) {
        const free = this.#free(owner)
        if (hasMore(free, told)) this.#tell(owner)
        else this.#askers.set(owner, free)
      }
    })
  }

  #tell(owner: NodeId): void {
    const resources = this.#free(owner)
    this.#askers.set(owner, resources)
    this.#options.say(owner, { type: 'group.free', resources: [...resources] })
  }

  #free(owner: NodeId): ResourceSet {
    this.#options.step()
    const { scheduler, self } = this.#options
    return owner === self ? scheduler.free : scheduler.freeForOthers
  }

  #dropWhere(matches: (held: Held) => boolean, isRemoved: boolean): void {
    for (const held of [...this.#held]) {
      if (!matches(held)) continue
      this.#held.delete(held)
      const keys = held.bundles.map(({ key }) => key)
      if (held.isOpen) this.#options.endIn(held.group, new Set(keys), isRemoved)
      for (const key of keys) this.#options.schedule({ type: 'bundle-dropped', key })
    }
    this.#options.step()
  }

  #find(group: ObjectId, round: number): Held | undefined {
    for (const held of this.#held) if (isOf(held, group) && held.round === round) return held
    return undefined
  }
}

function isOf({ group }: Held, { owner, number }: ObjectId): boolean {
  return group.owner === owner && group.number === number
}

/** Whether there is more of anything. */
function hasMore(now: ResourceSet, before: ResourceSet): boolean {
  return now.some(({ name, units }) => units > (before.find((entry) => entry.name === name)?.units ?? 0))
}
