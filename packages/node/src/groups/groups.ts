import type { Log, Random } from '@shoal/base'
import { formatObjectId, isWithin, newWireError, showId, showResources } from '@shoal/protocol'
import type { GroupDefinition, JobId, NodeId, NodeMessage, ObjectId, ResourceSet, WireError } from '@shoal/protocol'
import type { Scheduler, WorkShape } from '@shoal/scheduler'
import type { Actors } from '../actors/actors.ts'
import type { Dispatcher } from '../dispatcher.ts'
import type { Objects } from '../objects.ts'
import type { RoomLink } from '../room-link.ts'
import type { Work } from '../work.ts'
import type { Worker, Workers } from '../workers.ts'
import { GroupPlaces } from './group-places.ts'
import { HeldBundles } from './held-bundles.ts'
import { OwnGroups, removedError } from './own-groups.ts'

export interface GroupsOptions {
  readonly self: NodeId
  readonly random: Random
  readonly log: Log
  /** All that this tab has. */
  resources(): ResourceSet
  readonly objects: Objects
  readonly scheduler: Scheduler<Work>
  readonly dispatcher: Dispatcher
  readonly workers: Workers
  readonly actors: Actors
  /** Undefined while this tab is alone. */
  link(): RoomLink | undefined
  send(to: NodeId, message: NodeMessage): void
  takesGuests(): boolean
  later(delayMs: number, callback: () => void): void
  /** Ends what matches, queued or running here. */
  endWork(matches: (work: Work) => boolean, error: WireError): void
  /** How long the groups of a tab that is gone are kept for it. */
  readonly graceMs: number
}

/**
 * Placement groups: those of this tab's page, the bundles that this tab sets aside for anybody's, and where all others of the
 * room are. Puts the three together and says what becomes of work whose group or bundle is no more.
 */
export class Groups {
  readonly #options: GroupsOptions
  readonly #own: OwnGroups
  readonly #held: HeldBundles
  readonly #places: GroupPlaces

  constructor(options: GroupsOptions) {
    this.#options = options
    const { self, dispatcher } = options
    const say = (to: NodeId, message: NodeMessage): void => {
      if (to === self) this.onMessage(self, message)
      else options.send(to, message)
    }
    this.#places = new GroupPlaces({
      self,
      write: (slot, body) => options.link()?.writeGroup(slot, body),
      changed: (group, bundles) => {
        const places = bundles?.flatMap(({ resources, node }, index) => (node ? [{ index, node, resources }] : []))
        dispatcher.schedule({ type: 'group', group, places })
        if (bundles === undefined) this.#endWork(group)
      },
    })
    this.#own = new OwnGroups({
      ...options,
      say,
      lenders: () => this.#lenders(),
      changed: (group, bundles) => this.#places.set(group, bundles && [...bundles]),
    })
    this.#held = new HeldBundles({
      ...options,
      say,
      schedule: (event) => dispatcher.schedule(event),
      step: () => dispatcher.step(),
      welcomes: (owner) => options.takesGuests() && options.link()?.canSubmit(owner) === true,
      endIn: (group, keys, isRemoved) => this.#endIn(group, keys, isRemoved),
    })
  }

  holdings(): { readonly groups: number; readonly bundles: number } {
    return { groups: this.#own.count, bundles: this.#held.count }
  }

  create(definition: GroupDefinition, job: JobId): void {
    this.#own.create(definition, job)
  }

  /** Whoever owns it: of others only their own pages may. */
  remove({ owner, number }: ObjectId): void {
    if (owner === this.#options.self) this.#own.remove(number)
  }

  rows(): ReturnType<OwnGroups['rows']> {
    return this.#own.rows()
  }

  onMessage(from: NodeId, message: NodeMessage): boolean {
    switch (message.type) {
      case 'group.ask':
        this.#held.onAsk(from, message.isOver)
        return true
      case 'group.free':
        this.#own.onFree(from, message.resources)
        return true
      case 'group.prepare':
        this.#held.onPrepare(from, message)
        return true
      case 'group.prepared':
        this.#own.onPrepared(from, message)
        return true
      case 'group.commit':
        this.#held.onCommit(from, message.group, message.round)
        return true
      case 'group.return':
        this.#held.onReturn(from, message)
        return true
      case 'group.check':
        this.#held.onCheck(from, message.held)
        return true
      case 'group.missing':
        this.#own.onMissing(from, message.held)
        return true
      default:
        return false
    }
  }

  onRecord(key: string, body: Uint8Array<ArrayBuffer> | undefined): void {
    this.#places.onRecord(key, body)
  }

  /** The scheduler has decided. */
  stepped(): void {
    this.#held.changed()
  }

  /** Work of a group that was removed is not begun: true when it has ended instead. */
  refuses(work: Work, { bundle }: WorkShape): boolean {
    if (bundle === undefined || !this.#places.isGone(bundle.group)) return false
    work.ended({ kind: 'failed', error: removedError(bundle.group) }, 0)
    return true
  }

  /** Why work that has waited for so long that the directory would have told of its group never begins, if it is so. */
  whyNever({ bundle, resources }: WorkShape): WireError | undefined {
    if (bundle === undefined) return undefined
    const bundles = this.#places.bundlesOf(bundle.group)
    if (bundles === undefined) return removedError(bundle.group)
    const isMeant = (index: number): boolean => bundle.bundle === 0 || bundle.bundle === index + 1
    if (bundles.some((each, index) => isMeant(index) && isWithin(resources, each.resources))) return undefined
    const message = `no such bundle of the placement group ${showId(bundle.group)} has ${showResources(resources)}`
    return newWireError('task-unschedulable', message, { objectId: formatObjectId(bundle.group) })
  }

  enterRoom(): void {
    this.#places.entered()
  }

  /** Members, or what they lend. */
  roomChanged(): void {
    if (this.#own.count > 0) this.#own.look()
  }

  peerAlive(node: NodeId): void {
    const held = this.#own.heldBy(node)
    if (held !== undefined) this.#options.send(node, { type: 'group.check', held })
  }

  peerGone(node: NodeId): void {
    this.#held.nodeGone(node)
    this.#own.nodeGone(node)
    if (this.#places.owners().has(node) || this.#held.isFor(node)) this.#endLater(node)
  }

  /** Though its page may go on as another tab and have its ledger: nobody but the tab itself knows of its groups. */
  #endLater(owner: NodeId): void {
    const { later, graceMs } = this.#options
    later(graceMs, () => {
      if (!this.#isAlive(owner)) this.jobGone(owner)
    })
  }

  #isAlive(node: NodeId): boolean {
    return this.#options.link()?.isAlive(node) ?? false
  }

  /** The driver, or whatever node it was, is gone for good. */
  jobGone(driver: NodeId): void {
    this.#held.jobGone(driver)
    this.#places.ownerGone(driver)
  }

  suspended(): void {
    this.#own.suspended()
    this.#held.suspended()
  }

  /** This tab has entered its room again, and whoever is there is linked. */
  entered(): void {
    this.#own.entered((node) => this.#isAlive(node))
    for (const owner of this.#places.owners())
      if (owner !== this.#options.self && !this.#isAlive(owner)) this.#endLater(owner)
  }

  close(): void {
    this.#own.close()
  }

  /** Own tab first: what lies here costs no message. */
  #lenders(): { node: NodeId; resources: ResourceSet }[] {
    const link = this.#options.link()
    return (link?.alive() ?? []).flatMap((node) => {
      const resources = link?.card(node)?.resources ?? []
      return resources.length > 0 ? [{ node, resources }] : []
    })
  }

  #endWork(group: ObjectId): void {
    const id = formatObjectId(group)
    const error = removedError(group)
    const isMeant = ({ template: { shape } }: Work): boolean =>
      shape.bundle !== undefined && formatObjectId(shape.bundle.group) === id
    this.#options.endWork(isMeant, error)
    this.#options.actors.endInBundles((key) => key.startsWith(`${id} `), error, true)
  }

  #endIn(group: ObjectId, keys: ReadonlySet<string>, isRemoved: boolean): void {
    const { scheduler } = this.#options
    const error = isRemoved ? removedError(group) : lostError(group)
    const isIn = (_work: Work, { lane }: Worker): boolean => keys.has(scheduler.bundleOf(lane) ?? '')
    this.#options.workers.endWhere(isIn, error, isRemoved ? 'failed' : 'lost')
    this.#options.actors.endInBundles((key) => keys.has(key), error, isRemoved)
  }
}

function lostError(group: ObjectId): WireError {
  return newWireError('worker-crashed', `the bundle of the placement group ${showId(group)} is elsewhere now`)
}
