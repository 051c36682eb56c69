import type { Log, Random } from '@shoal/base'
import { FIRST_ATTEMPT, formatObjectId, LIMITS, newWireError, showId } from '@shoal/protocol'
import type {
  EncodedValue,
  GroupDefinition,
  GroupWire,
  JobId,
  NodeId,
  NodeMessage,
  ObjectId,
  PlacementGroupRow,
  ResourceSet,
} from '@shoal/protocol'
import { planBundles, sumResources, whyNoPlan } from '@shoal/scheduler'
import type { NodeRoom } from '@shoal/scheduler'
import type { Objects } from '../objects.ts'
import { isLacking, placesOf, toRow } from './own-group.ts'
import type { OwnBundle, OwnGroup, Round } from './own-group.ts'

export interface OwnGroupsOptions {
  readonly self: NodeId
  readonly random: Random
  readonly log: Log
  readonly objects: Pick<Objects, 'storeHere' | 'fail' | 'retain' | 'release'>
  /** All that this tab has. */
  resources(): ResourceSet
  /** To a node, this one too. */
  say(to: NodeId, message: NodeMessage): void
  /** Live peers and what they lend, in an order of their own. */
  lenders(): readonly NodeRoom<NodeId>[]
  later(delayMs: number, callback: () => void): void
  /** Where a group's bundles are now; undefined: it was removed. */
  changed(group: ObjectId, bundles: readonly { resources: ResourceSet; node: NodeId | undefined }[] | undefined): void
}

/** Those that were removed are listed for a while. */
const MOST_REMOVED = 100
/** Who does not answer at once is not waited for. */
const ANSWER_MS = 250
const REST_MS = 20
const MOST_REST_MS = 1_000

/**
 * The placement groups of this tab's page. A group is PENDING -> PREPARED, while a round is under way -> CREATED; a tab with some
 * of its bundles goes -> RESCHEDULING -> PREPARED -> CREATED; -> REMOVED at any time. A round asks tabs to set bundles aside
 * (prepare) and, when all have, opens them (commit); when one refuses or goes, all are given back.
 * While a group lacks bundles all tabs that lend are asked what they have free, and tell of more; those that lost some are
 * placed first, then who came first.
 */
export class OwnGroups {
  readonly #options: OwnGroupsOptions
  readonly #groups = new Map<number, OwnGroup>()
  readonly #removed: PlacementGroupRow[] = []
  /** Peers that were asked what they have free, and what they said last. */
  readonly #asked = new Set<NodeId>()
  readonly #free = new Map<NodeId, ResourceSet>()
  #round = 0
  /** Of those, whose first answer is waited for a moment. */
  readonly #awaited = new Set<NodeId>()
  #isPlanning = false

  constructor(options: OwnGroupsOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#groups.size
  }

  create({ number, name, strategy, bundles }: GroupDefinition, job: JobId): void {
    const id = { owner: this.#options.self, number }
    if (this.#groups.size >= LIMITS.groups) {
      this.#options.objects.fail(id, newWireError('permission', `a tab has ${LIMITS.groups} placement groups at most`))
      this.#options.changed(id, undefined)
      return
    }
    // Whoever has a handle may ask for it at any time.
    this.#options.objects.retain(id)
    this.#groups.set(number, {
      id,
      job,
      name,
      strategy,
      bundles: bundles.map((resources) => ({ resources, at: undefined })),
      wasCreated: false,
      round: undefined,
      failures: 0,
      isResting: false,
    })
    this.#tell(this.#groups.get(number))
    this.look()
  }

  remove(number: number): void {
    const group = this.#groups.get(number)
    if (group === undefined) return
    this.#groups.delete(number)
    const { id, round, bundles, wasCreated } = group
    const { objects, say, changed } = this.#options
    const nodes = new Set([...(round?.plan.keys() ?? []), ...bundles.flatMap(({ at }) => at?.node ?? [])])
    for (const node of nodes) say(node, { type: 'group.return', group: id, round: this.#round, isRemoved: true })
    this.#removed.push({
      ...toRow(group, undefined),
      state: 'REMOVED',
      schedulingState: 'REMOVED',
      pendingReason: undefined,
    })
    if (this.#removed.length > MOST_REMOVED) this.#removed.shift()
    changed(id, undefined)
    if (!wasCreated) objects.fail(id, removedError(id))
    objects.release(id)
    this.look()
  }

  /** The session ends. */
  close(): void {
    for (const { id, wasCreated } of this.#groups.values()) {
      if (!wasCreated) this.#options.objects.fail(id, newWireError('shutdown', 'this session was shut down'))
      this.#options.objects.release(id)
    }
    this.#groups.clear()
  }

  /** For people who look: the living, then those that were removed. */
  *rows(): Generator<PlacementGroupRow> {
    for (const group of this.#groups.values()) yield toRow(group, this.#whyNever(group))
    yield* this.#removed
  }

  /** Tabs came or went, or lend now: whoever lends is asked while a group lacks bundles. */
  look(): void {
    const isWaiting = [...this.#groups.values()].some(isLacking)
    const { say, self, later } = this.#options
    if (!isWaiting) {
      for (const node of this.#asked) say(node, { type: 'group.ask', isOver: true })
      for (const known of [this.#asked, this.#awaited, this.#free]) known.clear()
      return
    }
    const fresh = [self, ...this.#options.lenders().map(({ node }) => node)].filter((node) => !this.#asked.has(node))
    for (const node of fresh) {
      this.#asked.add(node)
      this.#awaited.add(node)
    }
    for (const node of fresh) say(node, { type: 'group.ask', isOver: false })
    if (fresh.some((node) => this.#awaited.has(node)))
      later(ANSWER_MS, () => {
        for (const node of fresh) this.#awaited.delete(node)
        this.#plan()
      })
    this.#plan()
  }

  onFree(from: NodeId, resources: ResourceSet): void {
    if (!this.#asked.has(from)) return
    this.#free.set(from, resources)
    this.#awaited.delete(from)
    this.#plan()
  }

  onPrepared(from: NodeId, { group: id, round: number, isDone }: GroupWire['prepared']): void {
    const group = this.#own(id)
    const { round } = group ?? {}
    // Of a round that was given up it was told already, and gives it back.
    if (group === undefined || round?.number !== number || !round.waiting.delete(from)) return
    if (!isDone) {
      this.#free.delete(from)
      this.#failed(group)
    } else if (round.waiting.size === 0) this.#commit(group, round)
  }

  /** A tab says that it does not hold what it was taken to hold. */
  onMissing(from: NodeId, missing: GroupWire['missing']['held']): void {
    for (const { group: id, round } of missing) {
      const group = this.#own(id)
      if (group === undefined) continue
      this.#lost(
        group,
        group.bundles.filter(({ at }) => at?.node === from && at.round === round),
      )
    }
    this.look()
  }

  /** All that this node takes a peer to hold for it; undefined where it never had a group. */
  heldBy(node: NodeId): GroupWire['check']['held'] | undefined {
    if (this.#round === 0) return undefined
    return [...this.#groups.values()].flatMap(({ id, bundles }) => {
      const rounds = new Set(bundles.flatMap(({ at }) => (at?.node === node ? [at.round] : [])))
      return [...rounds].map((round) => ({ group: id, round }))
    })
  }

  nodeGone(node: NodeId): void {
    for (const known of [this.#asked, this.#awaited, this.#free]) known.delete(node)
    for (const group of this.#groups.values()) {
      this.#lost(
        group,
        group.bundles.filter(({ at }) => at?.node === node),
      )
      if (group.round?.plan.has(node) === true) this.#failed(group)
    }
    this.look()
  }

  /** This tab is out of its room in order to enter it again: what was under way is begun anew there. */
  suspended(): void {
    const { self } = this.#options
    for (const group of this.#groups.values()) if (group.round !== undefined) this.#failed(group)
    for (const node of this.#asked) if (node !== self) this.#free.delete(node)
    this.#asked.clear()
    this.#awaited.clear()
  }

  /** It is back: what lay in tabs that are not there any more is lost. */
  entered(isAlive: (node: NodeId) => boolean): void {
    const { self } = this.#options
    for (const group of this.#groups.values())
      this.#lost(
        group,
        group.bundles.filter(({ at }) => at !== undefined && at.node !== self && !isAlive(at.node)),
      )
    this.look()
  }

  #own({ owner, number }: ObjectId): OwnGroup | undefined {
    return owner === this.#options.self ? this.#groups.get(number) : undefined
  }

  #lost(group: OwnGroup, bundles: readonly OwnBundle[]): void {
    if (bundles.length === 0) return
    for (const bundle of bundles) bundle.at = undefined
    this.#tell(group)
  }

  /** Starts a round for each group that fits into what is free. */
  #plan(): void {
    // A round that is in this tab alone is over before it is left.
    if (this.#isPlanning || this.#awaited.size > 0) return
    this.#isPlanning = true
    const lacking = [...this.#groups.values()].filter((group) => isLacking(group) && group.round === undefined)
    lacking.sort((a, b) => Number(b.wasCreated) - Number(a.wasCreated))
    for (const group of lacking) if (!group.isResting) this.#begin(group)
    this.#isPlanning = false
  }

  #begin(group: OwnGroup): void {
    const { self, say } = this.#options
    const room = [self, ...this.#options.lenders().map(({ node }) => node)].flatMap((node) => {
      const resources = this.#free.get(node)
      return resources === undefined ? [] : [{ node, resources }]
    })
    const indexes = group.bundles.flatMap(({ at }, index) => (at === undefined ? [index] : []))
    const wanted = indexes.map((index) => group.bundles[index]?.resources ?? [])
    const found = planBundles(wanted, group.strategy, room, placesOf(group))
    if (found === undefined) return
    const plan = new Map<NodeId, number[]>()
    found.forEach((node, at) => plan.set(node, [...(plan.get(node) ?? []), indexes[at] as number]))
    const round: Round = { number: ++this.#round, plan, waiting: new Set(plan.keys()) }
    group.round = round
    for (const [node, of] of plan) {
      const bundles = of.map((index) => ({ index, resources: group.bundles[index]?.resources ?? [] }))
      this.#free.set(node, without(this.#free.get(node) ?? [], sumResources(bundles.map(({ resources }) => resources))))
      say(node, { type: 'group.prepare', group: group.id, round: round.number, job: group.job, bundles })
      // One that is here has answered, and may have refused.
      if (group.round !== round) return
    }
  }

  #commit(group: OwnGroup, { number, plan }: Round): void {
    const { objects, say } = this.#options
    group.round = undefined
    group.failures = 0
    for (const [node, indexes] of plan) {
      say(node, { type: 'group.commit', group: group.id, round: number })
      for (const index of indexes) {
        const bundle = group.bundles[index]
        if (bundle !== undefined) bundle.at = { node, round: number }
      }
    }
    this.#tell(group)
    if (!group.wasCreated) objects.storeHere(group.id, FIRST_ATTEMPT, CREATED)
    group.wasCreated = true
    this.look()
  }

  /** Nothing of the round stays set aside. */
  #failed(group: OwnGroup): void {
    const { round } = group
    if (round === undefined) return
    const { say, later, random, log } = this.#options
    log.debug?.('a round was given up', { group: showId(group.id), round: round.number })
    group.round = undefined
    for (const node of round.plan.keys())
      say(node, { type: 'group.return', group: group.id, round: round.number, isRemoved: false })
    group.isResting = true
    const most = Math.min(MOST_REST_MS, REST_MS * 2 ** group.failures++)
    later(most * (0.5 + random.float() / 2), () => {
      group.isResting = false
      this.#plan()
    })
  }

  #tell(group: OwnGroup | undefined): void {
    if (group === undefined) return
    const bundles = group.bundles.map(({ resources, at }) => ({ resources, node: at?.node }))
    this.#options.changed(group.id, bundles)
  }

  #whyNever(group: OwnGroup): string | undefined {
    if (!isLacking(group) || group.round !== undefined) return undefined
    const { self, resources, lenders } = this.#options
    const wanted = group.bundles.flatMap((bundle) => (bundle.at === undefined ? [bundle.resources] : []))
    return whyNoPlan(wanted, group.strategy, [{ node: self, resources: resources() }, ...lenders()], placesOf(group))
  }
}

/** The value of a group's `ready` object: null. */
const CREATED: EncodedValue = { refs: [], body: new Uint8Array([1]), buffers: [] }

function without(set: ResourceSet, taken: ResourceSet): ResourceSet {
  return set.flatMap(({ name, units }) => {
    const left = units - (taken.find((entry) => entry.name === name)?.units ?? 0)
    return left > 0 ? [{ name, units: left }] : []
  })
}

export function removedError(group: ObjectId): ReturnType<typeof newWireError> {
  const message = `the placement group ${showId(group)} was removed`
  return newWireError('task-placement-group-removed', message, { objectId: formatObjectId(group) })
}
