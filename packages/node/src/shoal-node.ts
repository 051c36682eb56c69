// Long because every route between the parts of a node is listed here, and nowhere else.
import { Scope } from '@shoal/base'
import type { Log, Timer } from '@shoal/base'
import type { Transfers } from '@shoal/object-store'
import { newWireError, RoomError } from '@shoal/protocol'
import type { JobId, LogLine, NodeId, NodeLabels, NodeMessage, ResourceSet, RoomId, WireError } from '@shoal/protocol'
import { Scheduler } from '@shoal/scheduler'
import type { SchedulerEvent } from '@shoal/scheduler'
import { Actors } from './actors/actors.ts'
import { Cancellation } from './cancellation.ts'
import { carriedRefs, exposedRefs, isCarrier } from './carried-refs.ts'
import { CodeStore } from './code-store.ts'
import { Dispatcher } from './dispatcher.ts'
import { Groups } from './groups/groups.ts'
import { Guests } from './guests.ts'
import type { LedgerView } from './ledger/ledgers.ts'
import { Ownership } from './ledger/ownership.ts'
import { createLending } from './lending/create-lending.ts'
import type { SelfCard } from './lending/create-lending.ts'
import type { Lending, LendingTerms } from './lending/lending.ts'
import { nodeHoldings, nodeStatus } from './node-status.ts'
import type { NodeParts } from './node-status.ts'
import { createObjectStore } from './object-store.ts'
import type { ObjectStore } from './object-store.ts'
import { Objects } from './objects.ts'
import type { JobTemplate } from './own-task.ts'
import { OwnTasks } from './own-tasks.ts'
import { MessageRouter } from './message-router.ts'
import type { JoinOptions, NodeHoldings, NodeOptions, NodeStatus } from './node-options.ts'
import { Offered } from './offered.ts'
import { Outbox } from './outbox.ts'
import { References } from './references.ts'
import { Requests } from './requests.ts'
import type { RoomLink } from './room-link.ts'
import { createRunHandlers } from './run-handlers.ts'
import { Streams } from './streams.ts'
import { Submitter } from './submitter.ts'
import { BatchTime } from './state/batch-time.ts'
import { EndedTasks } from './state/ended-tasks.ts'
import type { StateRows } from './state/merge-answers.ts'
import { StateDesk } from './state/state-desk.ts'
import type { StateQuestion } from './state/state-service.ts'
import type { SubmitterHandlers } from './submitter.ts'
import { UnfetchedErrors } from './unfetched-errors.ts'
import { whenEntered } from './when-entered.ts'
import { isOthers } from './work.ts'
import type { Work } from './work.ts'
import { Workers } from './workers.ts'

const MAX_WORKERS = 256
/** How long what only a tab that is gone held is kept for it. */
const GRACE_MS = 60_000
/** A ref may come before its owner's link is up. */
const UNKNOWN_OWNER_MS = 5_000

/**
 * One tab's node: puts ownership, scheduling, workers, objects and the room together, and routes what each says to the
 * others. It decides nothing itself. Long because every route of the node is listed here, and nowhere else.
 * States: open (alone or in a room) -> closed.
 */
export class ShoalNode {
  readonly #options: NodeOptions
  readonly #log: Log
  readonly #scope: Scope
  readonly #page: Submitter
  readonly #codes: CodeStore
  readonly #objects: Objects
  readonly #store: ObjectStore
  readonly #transfers: Transfers
  readonly #tasks: OwnTasks
  readonly #streams: Streams
  readonly #groups: Groups
  readonly #guests: Guests
  readonly #actors: Actors
  readonly #workers: Workers
  readonly #offered: Offered
  readonly #scheduler: Scheduler<Work>
  readonly #requests: Requests
  readonly #references: References
  readonly #unfetched: UnfetchedErrors
  readonly #ownership: Ownership
  readonly #dispatcher: Dispatcher
  readonly #cancellation: Cancellation
  readonly #router: MessageRouter
  readonly #state: StateDesk
  /** Drivers and helpers that said they leave for good. */
  readonly #leaving = new Set<NodeId>()
  /** Of drivers' jobs, where they are not the driver's id. */
  readonly #namespaces = new Map<NodeId, string>()
  #nextWire = 1
  /** It was in the room before, under another session. */
  #isBack = false
  /** Its page was reloaded: it has refs of the tab that it was. */
  #wasReloaded = false
  /** Whom it knew there, while it is out of the room in order to enter again. */
  #suspended = new Set<NodeId>()
  #room: { readonly id: RoomId; readonly link: RoomLink; readonly isOwner: boolean } | undefined
  readonly #lending: Lending
  readonly #card: SelfCard
  readonly #timers = new Set<Timer>()
  /** Messages to peers that have not been linked yet. */
  readonly #outbox: Outbox

  constructor(options: NodeOptions) {
    this.#options = options
    const { self, clock, log } = options
    this.#log = log.child('node')
    this.#scope = new Scope((error) => this.#log.error('closing failed', { error: String(error) }))
    if (options.namespace !== undefined) this.#namespaces.set(self, options.namespace)
    this.#offered = new Offered(options)
    this.#scheduler = new Scheduler<Work>({ self, ...this.#offered, maxLanes: MAX_WORKERS })
    const link = (): RoomLink | undefined => this.#room?.link
    const send = (to: NodeId, message: NodeMessage): void => this.#send(to, message)
    const canReach = (node: NodeId): boolean => this.#room?.link.canReach(node) ?? false
    const later = (delayMs: number, callback: () => void): void => this.#later(delayMs, callback)
    const schedule = (event: SchedulerEvent<Work>): void => this.#dispatcher.schedule(event)
    const room = (): RoomId | undefined => this.#room?.id
    const answerer = (owner: NodeId): NodeId => this.#ownership.ledgers.answerer(owner)
    const unanswered = (owner: NodeId): void => this.#unanswered(owner)
    const namespaceOf = (job: JobId): string => this.#namespaces.get(job.driver) ?? job.driver
    const namespace = (job: JobId, name: string): void =>
      void (job.driver !== self && this.#namespaces.set(job.driver, name))
    const isListed = (key: Uint8Array): Promise<boolean> => this.#room?.link.isListed(key) ?? Promise.resolve(false)
    const introduce = (to: NodeId, template: JobTemplate): void => this.#dispatcher.introduce(to, template)
    this.#store = createObjectStore(options, {
      send,
      canReach,
      link,
      measured: (node, bytesPerMs) => this.#dispatcher.measured(node, bytesPerMs),
      serveCode: (hash) => this.#codes.serve(hash),
      serve: (id) => this.#objects.fetches.serve(id),
      handOver: (to, id, refs) => {
        this.#ownership.expose(to, refs)
        return this.#references.hold(to, [id])
      },
      unhold: (holds) => this.#references.receiveInside([], holds)(),
      // Others' work has its results here: a tab without room for them takes none.
      full: () => this.#lending.tell(),
    })
    const { table, spilling, transfers } = this.#store
    this.#transfers = transfers
    const parts = { offered: this.#offered, scheduler: this.#scheduler, store: this.#store }
    const made = createLending(options, { log, ...parts, dispatcher: () => this.#dispatcher, link })
    this.#lending = made.lending
    this.#card = made.card
    this.#references = new References({
      self,
      pins: options.guards?.pins ?? true,
      log: log.child('references'),
      send,
      canReach,
      answerer,
      later,
      retain: (id) => this.#objects.retain(id),
      release: (id) => this.#objects.release(id),
      standing: (id) => this.#objects.standing(id),
      lend: (id, to) => this.#objects.lend(id, to),
      takeBack: (id, from, isCopyGone) => this.#objects.takeBack(id, from, isCopyGone),
      takeBackAll: (from) => this.#objects.takeBackAll(from),
      recount: (owner, lives) => this.#objects.recount(owner, lives),
      unknown: (id) => this.#objects.unknown(id),
    })
    this.#codes = new CodeStore({
      self,
      send,
      canReach,
      crypto: options.crypto,
      keyPair: options.keyPair,
      log: log.child('code'),
      checkSource: options.checkSource,
      fetch: (hash, from, callback) =>
        this.#transfers.pull({ type: 'function', hash }, [from], (outcome) =>
          callback(outcome.kind === 'value' ? outcome.value : undefined),
        ),
    })
    this.#unfetched = new UnfetchedErrors({ self, log: (line) => this.#toDriver(line) })
    this.#objects = new Objects({
      self,
      log: log.child('objects'),
      transfers,
      table,
      spilling,
      send,
      canReach,
      answerer,
      knowsAll: (owner) => this.#ownership.ledgers.knowsAll(owner),
      mayFree: (owner) => this.#ownership.ledgers.mayFree(owner),
      changed: (id, isUrgent) => this.#ownership.changed(id, isUrgent),
      unanswered: ({ owner }) => this.#unanswered(owner),
      recoverRecorded: (id) => this.#ownership.recoverRecorded(id),
      adopt: (ids) => this.#references.adopt(ids),
      later,
      freed: (id) => {
        this.#ownership.tasksOf(id.owner)?.freed(id)
        this.#actors.freed(id)
      },
      idle: (id) => this.#ownership.tasksOf(id.owner)?.idle(id),
      held: (id, node) => {
        this.#ownership.tasksOf(id.owner)?.onHeld(id, node)
        this.#actors.onHeld(id, node)
      },
      copyGone: ({ owner }) => {
        this.#ownership.tasksOf(owner)?.look()
        this.#actors.copyGone()
      },
      rebuild: (id) => this.#ownership.rebuild(id),
      dropped: (id, isCopyGone) => {
        this.#references.dropped(id, isCopyGone)
        this.#ownership.dropped(id)
        this.#actors.dropped(id)
      },
      receiveInside: (refs, holds) => this.#references.receiveInside(refs, holds),
      whyNotRebuilt: (id) => this.#ownership.tasksOf(id.owner)?.whyNotRebuilt(id),
      unfetched: (id, error, job) => this.#unfetched.add(id, error, job),
    })
    const time = new BatchTime(clock, options.clockEpochMs ?? 0)
    const now = (): number => time.now()
    const newStreams = (owner: NodeId): Streams =>
      new Streams({
        self,
        owner,
        objects: this.#objects,
        workers: () => this.#workers,
        valueOf: (id) => table.get(id)?.value,
        send,
        cancel: (id) => this.#cancellation.cancel(id, { isForced: false, isRecursive: true }),
      })
    const streams = newStreams(self)
    this.#streams = streams
    const newTasks = (owner: NodeId): OwnTasks =>
      new OwnTasks({
        streams: owner === self ? streams : newStreams(owner),
        self,
        countsRetries: options.guards?.countsRetries ?? true,
        countsRecipes: options.guards?.countsRecipes ?? true,
        lineage: options.lineage,
        askForCopy: (id, places) => this.#ownership.askForCopy(id, places),
        owner,
        objects: this.#objects,
        codes: this.#codes,
        epoch: () => this.#ownership.ledgers.viewOf(owner).epoch.number,
        now,
        ended: new EndedTasks(now),
        schedule,
        send,
        room,
        namespaceOf,
        nextWire: () => this.#nextWire++,
        introduce,
      })
    this.#tasks = newTasks(self)
    this.#guests = new Guests({
      self,
      log: log.child('guests'),
      objects: this.#objects,
      codes: this.#codes,
      now: () => clock.now(),
      schedule,
      send,
      room,
      isListed,
      takesGuests: () => this.#lending.takesGuests,
      namespace,
      canReach,
      answerer,
      endedHere: (request, outcome) => this.#router.guestEndedHere(request, outcome),
      yieldedHere: (owner, message) => this.#router.guestYieldedHere(owner, message),
    })
    this.#requests = new Requests({
      self,
      spilling,
      objects: this.#objects,
      codes: this.#codes,
      tasks: this.#tasks,
      streams,
      actors: () => this.#actors,
      groups: () => this.#groups,
      runOf: (from, number) => this.#workers.runOf(from, number),
      keep: (ids) => this.#ownership.keep(ids),
      namespaceOf,
      cancel: (id, how) => this.#cancellation.cancel(id, how),
      takesAlong: (parent) => this.#cancellation.takesAlong(parent),
      state: (question) => this.state(question),
      maySubmit: (from) => from.number !== 0 || this.#room === undefined || this.#room.isOwner,
    })
    this.#workers = new Workers({
      self,
      clock,
      log: log.child('workers'),
      slots: options.slots,
      host: options.workerHost,
      whenMayBegin: (work, begin) =>
        work.kind === 'actor-call' && isOthers(work, self) ? this.#lending.whenRested(begin) : begin(),
      objects: this.#objects,
      spilling,
      handlers: this.#handlers(),
      finished: (run, outcome, cpuMicros) => this.#dispatcher.finished(run, outcome, cpuMicros),
      givenBack: (work, worker) => this.#dispatcher.givenBack(work, worker),
      actorEnded: (worker) => this.#actors.ended(worker),
      submitterGone: (submitter) => streams.submitterGone(submitter),
      workerGone: (worker, reason, wasBusy) => {
        if (!worker.isActor) this.#dispatcher.schedule({ type: 'lane-gone', lane: worker.lane })
        this.#actors.workerGone(worker, reason, wasBusy)
      },
    })
    const [tasks, guests, workers, objects] = [this.#tasks, this.#guests, this.#workers, this.#objects]
    this.#actors = new Actors({
      self,
      guards: options.guards ?? {},
      objects,
      tasks,
      streams,
      guests,
      workers,
      schedule,
      send,
      canReach,
      answerer,
      knowsAll: (owner) => this.#ownership.ledgers.knowsAll(owner),
      unanswered,
      introduce,
      alive: () => this.#room?.link.alive() ?? [],
      askForCopy: (id, places) => this.#ownership.askForCopy(id, places),
      isRecorded: (id) => this.#ownership.isRecorded(id),
      epochOf: (owner) => this.#ownership.ledgers.viewOf(owner).epoch.number,
      changed: (id, outlives) => {
        if (outlives) this.#ownership.keep([id])
        this.#ownership.changed(id)
      },
      endWork: (matches, error) => this.#endWork(matches, error),
      cancelHere: (id, how) => this.#cancellation.cancelCallHere(id, how),
      bundleOf: (lane) => this.#scheduler.bundleOf(lane),
    })
    this.#outbox = new Outbox({
      log,
      link,
      after: (delayMs, callback) => options.clock.after(delayMs, callback),
    })
    this.#ownership = new Ownership({
      self,
      guards: options.guards,
      log: log.child('ledgers'),
      graceMs: options.graceMs ?? GRACE_MS,
      codes: this.#codes,
      objects,
      references: this.#references,
      guests,
      tasks,
      newTasks,
      sha256: (bytes) => options.crypto.sha256(bytes),
      namespace,
      granted: (job, hash, grant) => this.#codes.granted(job, hash, this.#room?.id, grant, isListed),
      actors: this.#actors,
      moved: (owner) => this.#cancellation.moved(owner),
      ledgerOver: (owner) => this.#cancellation.ledgerOver(owner),
      storedOf: (id) => table.get(id),
      outbox: this.#outbox,
      send,
      alive: () => this.#room?.link.alive() ?? [],
      isAlive: (node) => this.#room?.link.isAlive(node) ?? false,
      deviceOf: (node) => (node === self ? options.device : this.#deviceOf(node)),
      later,
    })
    this.#dispatcher = new Dispatcher({
      self,
      scheduler: this.#scheduler,
      tasks,
      ownership: this.#ownership,
      actors: this.#actors,
      workers,
      later,
      link,
      cancellation: () => this.#cancellation,
      groups: () => this.#groups,
      lending: () => this.#lending,
      toDriver: (line) => this.#toDriver(line),
      changed: () => options.onChange(),
    })
    this.#groups = new Groups({
      self,
      random: options.random,
      log: log.child('groups'),
      resources: () => this.#offered.resources,
      objects,
      scheduler: this.#scheduler,
      dispatcher: this.#dispatcher,
      workers,
      actors: this.#actors,
      link,
      send,
      takesGuests: () => this.#lending.takesGuests,
      later,
      endWork: (matches, error) => this.#endWork(matches, error),
      graceMs: options.graceMs ?? GRACE_MS,
    })
    this.#cancellation = new Cancellation({
      self,
      log: log.child('cancellation'),
      objects,
      guests,
      workers,
      dispatcher: this.#dispatcher,
      tasksOf: (owner) => this.#ownership.tasksOf(owner),
      answerer,
      canReach,
      whenKnown: (owner, callback) => this.#ownership.ledgers.whenKnown(owner, callback),
      send,
      cancelCall: (id, how) => this.#actors.cancel(id, how),
      callsOf: (parent) => this.#actors.callsOf(parent),
      cancelWaiting: (id) => this.#actors.cancelWaiting(id),
    })
    this.#state = new StateDesk({
      load: () => options.loadState(),
      ports: {
        self,
        clock,
        send,
        answerer,
        time,
        tasks,
        groups: this.#groups,
        guests,
        workers,
        objects,
        name: options.name,
        own: () => ({ resources: this.#offered.resources, labels: this.#card.labels() }),
        actors: this.#actors,
        ownership: this.#ownership,
        scheduler: this.#scheduler,
        dispatcher: this.#dispatcher,
        store: this.#store,
        alive: () => this.#room?.link.alive() ?? [],
        members: () => this.#room?.link.members(),
      },
    })
    this.#router = new MessageRouter({
      self,
      transfers: this.#transfers,
      references: this.#references,
      ownership: this.#ownership,
      guests,
      workers,
      objects,
      actors: this.#actors,
      dispatcher: this.#dispatcher,
      cancellation: this.#cancellation,
      state: this.#state,
      groups: this.#groups,
      send,
      endWork: (matches, error) => this.#endWork(matches, error),
      leaving: (node) => this.#leaving.add(node),
      onLogLine: (line) => options.onLogLine(line),
      codes: this.#codes,
      log: this.#log,
      room,
      isListed,
    })
    this.#lending.tell()
    this.#page = new Submitter({ number: 0, self, port: options.pagePort, handlers: this.#handlers(), log: this.#log })
    this.#scope.add(() => {
      for (const timer of this.#timers) timer.cancel()
      this.#timers.clear()
    })
    this.#scope.add(() => this.#lending.close())
    this.#scope.add(() => this.#dispatcher.close())
    this.#scope.add(() => this.#page.close())
    this.#scope.add(() => this.#store.close())
    this.#scope.add(() => this.#workers.close())
  }

  /** Enters a room. What was submitted before stays here; from now on tasks may go to others. @throws RoomError */
  async join(options: JoinOptions): Promise<void> {
    if (this.#room !== undefined) throw new RoomError('room', 'this tab is in a room already; leave it first')
    const { self, session, keyPair, clock, random, crypto, log } = this.#options
    const { reload } = options
    const formerKeys = reload?.former.map(({ publicKey }) => publicKey) ?? []
    if (reload !== undefined) {
      this.#objects.adopt(reload.kept)
      this.#ownership.ledgers.reload(reload.secretHash, reload.former)
    }
    const link = options.createRoomLink({
      ...options,
      formerKeys,
      self,
      session: options.session ?? session,
      keyPair,
      clock,
      random,
      crypto,
      log,
      handlers: {
        alive: (node) => this.#peerAlive(node),
        relinked: (node) => this.#transfers.peerLinked(node),
        dead: (node) => this.#peerDead(node),
        message: (from, message) => this.#router.onMessage(from, message),
        bulk: (from, pull, offset, bytes) => this.#transfers.onBulk(from, pull, offset, bytes),
        over: () => this.#options.onOver(),
        nameLost: (actor) => this.#actors.nameLost(actor),
        group: (key, body) => this.#groups.onRecord(key, body),
        settings: (settings) => this.#options.onRoomSettings?.(settings),
        changed: () => this.#onRoomChanged(),
      },
    })
    this.#room = { id: options.room, link, isOwner: options.ownerKeyPair !== undefined }
    this.#actors.enterRoom(link)
    this.#groups.enterRoom()
    if (reload !== undefined && reload.kept.length > 0) this.#ownership.keep(reload.kept)
    if (this.#isBack) {
      this.#suspended = new Set()
      this.#ownership.ledgers.takeBack()
      this.#whenEntered()
    } else if (formerKeys.length > 0) {
      this.#ownership.ledgers.enter()
      this.#wasReloaded = true
      this.#whenEntered()
    }
    await this.#card.introduce()
    this.#options.onChange()
  }

  /**
   * The room has given this tab's session up, or will have: it leaves in order to enter again under a higher one, and keeps
   * what it owns. Runs for others end, since others have them by now.
   */
  suspend(): void {
    const room = this.#room
    if (room === undefined) return
    this.#ownership.ledgers.suspend()
    const known = this.#knownNodes(room.link)
    room.link.close('reload')
    this.#room = undefined
    this.#actors.leaveRoom(true)
    this.#isBack = true
    this.#suspended = known
    for (const node of known) {
      this.#dispatcher.forget(node)
      this.#outbox.forget(node)
      this.#dispatcher.schedule({ type: 'peer-gone', node })
      this.#guests.peerGone(node)
      this.#references.peerGone(node)
      this.#transfers.peerGone(node)
      this.#state.peerGone(node)
    }
    const isOver = (work: Work): boolean => work.isGuest
    const error = newWireError('node-died', 'this tab was given up by its room')
    this.#endWork(isOver, error)
    this.#actors.suspended(error)
    this.#groups.suspended()
    this.#options.onChange()
  }

  #knownNodes(link: RoomLink): Set<NodeId> {
    // Those on their way too: what was said or asked of them waits.
    return new Set([...link.alive(), ...link.members().map(({ node }) => node), ...this.#outbox.peers()])
  }

  #whenEntered(): void {
    const entered = (): void => {
      this.#ownership.ledgers.entered()
      this.#groups.entered()
    }
    whenEntered(
      () => this.#room?.link,
      (delayMs, callback) => this.#later(delayMs, callback),
      entered,
    )
  }

  /** Says goodbye and goes on alone. */
  leave(reason: 'left' | 'closed' | 'reload'): void {
    const room = this.#room
    const known = room === undefined ? this.#suspended : this.#knownNodes(room.link)
    this.#suspended = new Set()
    if (room === undefined && known.size === 0 && !this.#isBack) return
    // What only this tab held need not be kept for it.
    if (reason === 'left')
      for (const node of room?.link.alive() ?? [])
        room?.link.send(node, { type: 'job.ended', job: { driver: this.#options.self, number: 1 } })
    room?.link.close(reason)
    this.#room = undefined
    this.#actors.leaveRoom(false)
    for (const node of known) this.#peerDead(node)
    for (const node of [...known, this.#options.self])
      for (const owner of this.#ownership.ledgers.ownersOf(node))
        if (owner !== this.#options.self) this.#endJobsOf(owner)
    this.#ownership.clear()
    this.#isBack = false
    this.#options.onChange()
  }

  /** Lends this tab's slots to the room within limits, or no more; what runs goes on to its end. */
  lend(terms: LendingTerms): void {
    this.#lending.apply(terms)
  }

  /** This tab has more than it was made with: all that it has from now on, and what it says of itself. */
  offer(more: ResourceSet, labels: NodeLabels): void {
    this.#offered.add(more, labels)
    this.#dispatcher.schedule({ type: 'own', resources: this.#offered.resources, labels: this.#card.labels() })
    this.#lending.tell()
    this.#card.changed()
    this.#options.onChange()
  }

  status(): NodeStatus {
    return nodeStatus(this.#parts())
  }

  #parts(): NodeParts {
    return {
      self: this.#options.self,
      slots: this.#options.slots,
      lending: this.#lending,
      labels: this.#card.labels(),
      resources: this.#offered.resources,
      room: this.#room,
      scheduler: this.#scheduler,
      workers: this.#workers,
      tasks: this.#tasks,
      actors: this.#actors,
      dispatcher: this.#dispatcher,
      cancellation: this.#cancellation,
      store: this.#store,
      ownership: this.#ownership,
      references: this.#references,
      groups: this.#groups,
      objects: this.#objects,
    }
  }

  /** Whether this node is just taking the owner's ledger over. */
  isGathering(owner: NodeId): boolean {
    return this.#ownership.ledgers.isGathering(owner)
  }

  /** References that it has handed on and that are not confirmed yet. */
  get pinned(): number {
    return this.#references.pinned
  }

  /** Rows of the whole room, as far as its nodes answer in time; alone, of this tab. */
  state(question: StateQuestion): Promise<StateRows> {
    return this.#state.ask(question)
  }

  ledgers(): readonly LedgerView[] {
    return this.#ownership.views()
  }

  holdings(): NodeHoldings {
    return nodeHoldings(this.#parts(), {
      questions: this.#page.questionCount + this.#streams.count,
      timers: this.#timers.size,
      stateQuestions: this.#state.openCount,
    })
  }

  /** Ends every task and actor of this tab, its workers and its place in the room. Idempotent. */
  close(reason: 'left' | 'closed' | 'reload'): void {
    if (this.#scope.isClosed) return
    const error = newWireError('shutdown', 'this session was shut down')
    this.#state.close()
    this.#objects.close()
    this.#unfetched.close()
    this.leave(reason)
    for (const tasks of this.#ownership.allTasks()) tasks.failAll(error)
    this.#actors.failAll(error)
    this.#groups.close()
    // What waited, for a slot or for a tab that has what it asks for, has its outcome now.
    this.#scheduler.takeWhere(() => true)
    this.#page.frame.flush()
    this.#outbox.clear()
    this.#scope.close()
  }

  #handlers(): SubmitterHandlers {
    return {
      ...this.#requests.handlers,
      ...createRunHandlers({
        self: this.#options.self,
        workers: () => this.#workers,
        dispatcher: () => this.#dispatcher,
        toDriver: (line) => this.#toDriver(line),
      }),
    }
  }

  #toDriver(line: LogLine): void {
    const driver = this.#ownership.ledgers.driverOf(line.job.driver)
    if (driver === this.#options.self) this.#options.onLogLine(line)
    else this.#send(driver, { type: 'log.lines', lines: [line] })
  }

  #later(delayMs: number, callback: () => void): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer)
      callback()
    })
    this.#timers.add(timer)
  }

  /** What is said to a peer that is not linked yet waits for its first link; to one that is gone, nothing is said. */
  #send(to: NodeId, message: NodeMessage): void {
    const link = this.#room?.link
    if (link === undefined || !link.canReach(to)) return
    if (isCarrier(message)) {
      this.#ownership.expose(to, exposedRefs(message))
      const handOver = this.#references.handOver(to, carriedRefs(message))
      if (handOver !== 0) message = { ...message, handOver }
    }
    this.#outbox.send(to, message)
  }

  #peerAlive(node: NodeId): void {
    this.#dispatcher.forget(node)
    this.#leaving.delete(node)
    this.#dispatcher.peer(node)
    // What was handed over meanwhile is told by whoever answers for it, and that goes first.
    this.#ownership.peerAlive(node, this.#isBack || this.#wasReloaded)
    this.#outbox.linked(node)
    this.#transfers.peerLinked(node)
    this.#actors.nodeAlive(node)
    this.#groups.peerAlive(node)
    this.#options.onChange()
  }

  #peerDead(node: NodeId): void {
    this.#dispatcher.forget(node)
    this.#outbox.forget(node)
    this.#dispatcher.schedule({ type: 'peer-gone', node })
    this.#guests.peerGone(node)
    this.#codes.nodeGone(node)
    this.#state.peerGone(node)
    const graceMs = this.#options.graceMs ?? GRACE_MS
    const isForGood = this.#leaving.delete(node)
    const isDriver = this.#ownership.ledgers.viewOf(node).heir !== undefined
    this.#references.peerGone(node, isDriver && !isForGood ? graceMs : 0)
    // Before the transfers: a pull that is lost with the node finds the object's state as it is now.
    this.#objects.nodeGone(node)
    this.#transfers.peerGone(node)
    this.#tasks.nodeGone(node)
    this.#actors.nodeGone(node)
    this.#groups.peerGone(node)
    this.#ownership.peerGone(node)
    if (isForGood) this.#jobOver(node)
    else
      this.#later(graceMs, () => {
        if (this.#room?.link.isAlive(node) !== true) this.#jobOver(node)
      })
    this.#options.onChange()
  }

  /** The driver's own job ends, unless its page goes on as another tab, and what it had been before it was reloaded. */
  #jobOver(driver: NodeId): void {
    for (const owner of this.#ownership.ledgers.ownersOf(driver)) {
      this.#endJobsOf(owner)
      this.#ownership.ledgers.finish(owner)
    }
  }

  #deviceOf(node: NodeId): string | undefined {
    const device = this.#room?.link.card(node)?.device
    return device === '' ? undefined : device
  }

  /** Somebody waits for what a node owned that cannot be reached: without a room, in vain. */
  #unanswered(owner: NodeId): void {
    const link = this.#room?.link
    if (link === undefined) this.#later(0, () => this.#room === undefined && this.#objects.ledgerOver(owner))
    else this.#ownership.unanswered(owner, link.isKnownDead(owner) ? 0 : UNKNOWN_OWNER_MS)
  }

  /** Ends what matches, queued or running. */
  #endWork(matches: (work: Work) => boolean, error: WireError): void {
    for (const work of this.#dispatcher.takeQueued(matches)) work.ended({ kind: 'failed', error }, 0)
    this.#workers.endWhere(matches, error)
  }

  /** Nobody will ever ask for what a driver that is gone wanted: its tasks leave the queue and the workers. */
  #endJobsOf(driver: NodeId): void {
    const isOver = (work: Work): boolean => work.template.job.driver === driver
    const error = newWireError('owner-died', `the tab ${driver.slice(0, 8)} that wanted this is gone`, {
      nodeId: driver,
    })
    this.#endWork(isOver, error)
    this.#actors.jobGone(driver, error)
    this.#workers.jobGone(driver)
    this.#requests.jobGone(driver)
    this.#groups.jobGone(driver)
    this.#objects.jobGone(driver)
    if (driver !== this.#options.self) this.#namespaces.delete(driver)
  }

  #onRoomChanged(): void {
    for (const node of this.#room?.link.alive() ?? []) this.#dispatcher.peer(node)
    this.#groups.roomChanged()
    this.#options.onChange()
  }
}
