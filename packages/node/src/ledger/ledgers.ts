// Long because a take-over is one procedure, whatever began it, and its steps are decided here and nowhere else.
import type { Log } from '@shoal/base'
import {
  authorityOf,
  compareEpochs,
  drawSuccessors,
  firstSuccession,
  gatherReports,
  isNewer,
} from '@shoal/control-store'
import type { RecordStore, Reports } from '@shoal/control-store'
import { LIMITS } from '@shoal/protocol'
import type { LedgerHeir, LedgerReport, NodeId, NodeMessage, Succession } from '@shoal/protocol'
import type { FormerSelf } from '../node-options.ts'

/** What this node has of a ledger. */
export type Holdings = Pick<LedgerReport, 'refs' | 'copies' | 'runs' | 'actors'>

/** A ledger as one node sees it. */
export interface LedgerView extends Succession {
  /** This node answers for it, and `isGathering`: once all reports are in. */
  readonly isMine: boolean
  readonly isGathering: boolean
  /** Objects of it are known here. */
  readonly isNeeded: boolean
}

export interface LedgersOptions {
  readonly self: NodeId
  /** False only where the simulation shows what waiting for the reports prevents (X1). */
  readonly gathers?: boolean
  readonly log: Log
  /** How long what nobody holds is kept for an owner that may come back. */
  readonly graceMs: number
  readonly records: RecordStore
  sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  send(to: NodeId, message: NodeMessage): void
  alive(): readonly NodeId[]
  isAlive(node: NodeId): boolean
  /** Equal for tabs that die together; undefined: unknown. */
  deviceOf(node: NodeId): string | undefined
  later(delayMs: number, callback: () => void): void
  holdings(owner: NodeId): Holdings
  /** Owners of whose ledgers this node has anything. */
  owners(): Iterable<NodeId>
  /** What this node has of a ledger's records, on its way to whoever takes it over. */
  sendRecords(to: NodeId, owner: NodeId): void
  /** Somebody else answers for the ledger from now on, and has our report; or this node does. */
  moved(owner: NodeId): void
  /** Whoever answers counts all that we reported. */
  reported(owner: NodeId): void
  /** This node answered for the ledger and does no more. */
  deposed(owner: NodeId): void
  /** A list was heard of: this node may be on it no more. */
  listed(owner: NodeId): void
  /** A node says which objects of a ledger that is ours it holds, and which actors of it live there. */
  counts(owner: NodeId, node: NodeId, report: LedgerReport): void
  /** Copies that a node has which came when the reports were in already. */
  lateCopies(owner: NodeId, node: NodeId, copies: LedgerReport['copies']): void
  /** All reports are in: act. */
  takenOver(owner: NodeId, reports: Reports): void
  /** The list is another, or, `isNewEpoch`, the same under another answerer, by whom nobody has been told anything yet. */
  drawn(owner: NodeId, successors: readonly NodeId[], isNewEpoch: boolean): void
  /** The owner did not come back in time: what nobody holds goes. True when nothing of the ledger is left. */
  graceEnded(owner: NodeId): boolean
  /** Nothing of the ledger will be asked for again. */
  over(owner: NodeId): void
}

/** State of a ledger that somebody has said something about. */
interface Ledger {
  view: Succession
  /** While the reports come in. */
  taking:
    | { readonly missing: Set<NodeId>; readonly reports: Map<NodeId, LedgerReport[]>; readonly early: (() => void)[] }
    | undefined
  /** The owner may come back. */
  isInGrace: boolean
}

/** A driver whose claim is granted takes the ledger over; until then it asks nobody for what is in it, for so long at most. */
const CLAIM_MS = 1_000

/**
 * Who answers for each ledger, and how that changes: take-over, the same for a death, a thaw, a heal (R7 to R11 of
 * docs/decisions/020) and a driver's reload (026). A ledger's states here: followed -> gathering -> answered -> followed, or over.
 *
 *   followed  --its minter died, and I am first of the living--> gathering --all reports are in--> answered
 *   gathering, answered --a higher epoch is heard of--> followed
 *   followed  --I am its owner, or its heir by a claim, and another answers--> gathering
 *
 * It knows neither tasks nor objects: what a take-over means for them is done behind `takenOver`.
 */
export class Ledgers {
  readonly #options: LedgersOptions
  readonly #ledgers = new Map<NodeId, Ledger>()
  /** This node comes back to its room and does not know yet who is there. */
  #isEntering = false
  /** Nodes whose last session is over. */
  readonly #gone = new Set<NodeId>()
  /** Of those, whose jobs are over: nothing is kept for them, whenever their ledgers are taken over. */
  readonly #finished = new Set<NodeId>()
  /** This tab as a driver whose page may reload. */
  #heir: LedgerHeir | undefined
  /** Secrets of the tabs that this one was before it was reloaded. */
  readonly #claims = new Map<NodeId, Uint8Array<ArrayBuffer>>()
  /** What each peer was told of each ledger's list. */
  readonly #told = new Map<NodeId, Map<NodeId, Succession>>()

  constructor(options: LedgersOptions) {
    this.#options = options
  }

  viewOf(owner: NodeId): Succession {
    return this.#ledgers.get(owner)?.view ?? firstSuccession(owner)
  }

  /** Who answers for an owner's ledger, as far as this node has heard; it may be gone, and nobody has taken over yet. */
  answerer(owner: NodeId): NodeId {
    return this.#ledgers.get(owner)?.view.epoch.minter ?? owner
  }

  isMine(owner: NodeId): boolean {
    return this.answerer(owner) === this.#options.self
  }

  /** This node answers for it and all reports are in. */
  knowsAll(owner: NodeId): boolean {
    const ledger = this.#ledgers.get(owner)
    if (ledger === undefined) return owner === this.#options.self
    return this.isMine(owner) && ledger.taking === undefined
  }

  /** This node answers for it, and not all reports are in. */
  isGathering(owner: NodeId): boolean {
    return this.#ledgers.get(owner)?.taking !== undefined && this.isMine(owner)
  }

  mayFree(owner: NodeId): boolean {
    return this.knowsAll(owner) && this.#ledgers.get(owner)?.isInGrace !== true
  }

  /** Ledgers that somebody has said something about or that are needed here, with their present lists. */
  views(needed: ReadonlySet<NodeId>): LedgerView[] {
    return [...new Set([...this.#ledgers.keys(), ...needed])].map((owner) => ({
      ...this.viewOf(owner),
      isMine: this.isMine(owner),
      isGathering: this.#ledgers.get(owner)?.taking !== undefined,
      isNeeded: needed.has(owner),
    }))
  }

  /** What has to wait for the reports is done after them. */
  whenKnown(owner: NodeId, callback: () => void): void {
    const taking = this.#ledgers.get(owner)?.taking
    if (taking === undefined) callback()
    else taking.early.push(callback)
  }

  /** The first of the ledger's records is about to be made: it needs successors. */
  open(owner: NodeId): void {
    const ledger = this.#ledger(owner)
    if (ledger.view.version === 0 && this.isMine(owner)) this.#draw(ledger)
  }

  /** Whoever gets a ref learns who answers for it, ahead of the ref. */
  tell(to: NodeId, owner: NodeId): void {
    const ledger = this.#ledgers.get(owner)
    if (ledger === undefined) return
    const told = this.#told.get(to) ?? new Map<NodeId, Succession>()
    this.#told.set(to, told)
    if (told.get(owner) === ledger.view) return
    told.set(owner, ledger.view)
    this.#options.send(to, { type: 'ledger.succession', succession: ledger.view })
  }

  peerAlive(node: NodeId): void {
    this.#told.delete(node)
    this.#gone.delete(node)
    this.#finished.delete(node)
    // This page is a copy of that tab's, and not what became of it.
    this.#claims.delete(node)
    for (const [owner, ledger] of [...this.#ledgers]) {
      if (!this.isMine(owner)) continue
      // A place in the list that nobody could have is taken; nobody is replaced.
      this.#draw(ledger)
      if (ledger.view.epoch.number === 0) {
        this.tell(node, owner)
        continue
      }
      ledger.taking?.missing.add(node)
      this.#options.send(node, { type: 'ledger.gather', succession: ledger.view })
    }
  }

  peerGone(node: NodeId): void {
    this.#told.delete(node)
    this.#gone.add(node)
    for (const [owner, ledger] of [...this.#ledgers]) {
      if (this.isMine(owner)) {
        if (ledger.view.successors.includes(node)) this.#draw(ledger)
        if (ledger.taking?.missing.delete(node)) this.#check(owner, ledger)
      }
    }
    // Also those whose successor was told of a death, and is gone itself.
    for (const owner of this.#known()) if (this.#gone.has(this.viewOf(owner).epoch.minter)) this.#succeed(owner)
  }

  /** Takes the messages that are about ledgers as such; false for any other. */
  onMessage(from: NodeId, message: NodeMessage): boolean {
    switch (message.type) {
      case 'ledger.succession':
        this.#hear(from, message.succession)
        return true
      case 'ledger.gather':
        this.#onGather(from, message.succession)
        return true
      case 'ledger.report':
        this.#onReport(from, message)
        return true
      case 'ledger.reported':
        if (this.#isOf(from, message)) this.#options.reported(message.owner)
        return true
      case 'ledger.over':
        if (this.#isOf(from, message)) this.#end(message.owner)
        return true
      case 'ledger.claim':
        void this.#onClaim(from, message)
        return true
      default:
        return false
    }
  }

  /**
   * This tab is a driver's: its ledger can be claimed by whoever has the secret of that hash. If its page was reloaded, it
   * claims what its former selves had, from whoever answers for it when this tab hears of that.
   */
  reload(secretHash: Uint8Array<ArrayBuffer>, former: readonly FormerSelf[]): void {
    this.#heir = { node: this.#options.self, secretHash }
    for (const { node, secret } of former) this.#claims.set(node, secret)
  }

  /** Nobody is known yet, and nothing is taken over before `entered`: somebody may answer for it. */
  enter(): void {
    this.#isEntering = true
  }

  /** This tab drives the owner's job since its page was reloaded. */
  isHeirOf(owner: NodeId): boolean {
    return owner !== this.#options.self && this.viewOf(owner).heir?.node === this.#options.self
  }

  /** The tab that drives an owner's job now. */
  driverOf(owner: NodeId): NodeId {
    return this.viewOf(owner).heir?.node ?? owner
  }

  /** Whose jobs a driver has: its own, unless it has an heir, and those that it is the heir of. */
  ownersOf(driver: NodeId): NodeId[] {
    return [...new Set([driver, ...this.#ledgers.keys()])].filter((owner) => this.driverOf(owner) === driver)
  }

  /** Somebody waits for a ledger's answerer: it may be gone since before this node came, or knew of the ledger. */
  takeIfGone(owner: NodeId): void {
    if (!this.#isUp(this.viewOf(owner).epoch.minter)) this.#succeed(owner)
  }

  /** This node was given up, or found that it may have been: others may answer for its ledger. Nothing of it is decided now. */
  suspend(): void {
    this.#isEntering = true
    this.#told.clear()
    for (const owner of this.ownersOf(this.#options.self))
      this.#ledger(owner).taking ??= { missing: new Set(), reports: new Map(), early: [] }
  }

  /** It goes on under a new session and takes its ledger back: with an epoch above all that it has heard of. */
  takeBack(): void {
    for (const owner of this.ownersOf(this.#options.self)) {
      // What it had taken over it has from the reports again.
      if (owner !== this.#options.self) this.#options.deposed(owner)
      this.#takeOver(owner)
    }
  }

  /** Everybody who is there is linked: once they have reported, the ledger is this node's again. */
  entered(): void {
    if (!this.#isEntering) return
    this.#isEntering = false
    // Of those that went meanwhile there will be no verdict.
    for (const [owner, ledger] of [...this.#ledgers]) {
      for (const node of ledger.taking?.missing ?? []) if (!this.#isUp(node)) ledger.taking?.missing.delete(node)
      this.#check(owner, ledger)
    }
    for (const each of this.#known()) this.takeIfGone(each)
  }

  /** Owners of ledgers of which this node has, or knows, anything. */
  #known(): Set<NodeId> {
    return new Set([...this.#options.owners(), ...this.#ledgers.keys(), ...this.#options.records.owners()])
  }

  /** The owner's job is over, or it left for good: nothing of it is kept any longer. */
  finish(owner: NodeId): void {
    this.#finished.add(owner)
    const ledger = this.#ledgers.get(owner)
    if (ledger === undefined || !this.isMine(owner) || owner === this.#options.self) return
    ledger.isInGrace = false
    if (ledger.taking === undefined) this.#graceEnded(owner)
  }

  /** An object of a ledger that was taken over went: it may have been the last. */
  freed(owner: NodeId): void {
    if (owner !== this.#options.self && this.mayFree(owner)) this.#graceEnded(owner)
  }

  /** The room was left: this node answers for its own ledger, and nobody it could ask for any other. */
  clear(): void {
    const owners = this.#known()
    this.#ledgers.clear()
    this.#told.clear()
    this.#isEntering = false
    this.#heir = undefined
    this.#claims.clear()
    for (const owner of owners) if (owner !== this.#options.self) this.#options.over(owner)
  }

  /** The ledger's minter is gone: whoever is first of the living takes it over, and is told what there is to take. */
  #succeed(owner: NodeId): void {
    if (this.#isEntering) return
    const { self, alive, isAlive, send } = this.#options
    const view = this.viewOf(owner)
    const authority = authorityOf(view, (node) => node === self || isAlive(node), [self, ...alive()])
    if (authority === self) this.#takeOver(owner)
    else if (authority !== undefined) send(authority, { type: 'ledger.succession', succession: view })
  }

  #takeOver(owner: NodeId): void {
    const { self, alive, log } = this.#options
    const ledger = this.#ledger(owner)
    const number = ledger.view.epoch.number + 1
    ledger.view = { ...ledger.view, epoch: { number, minter: self }, version: 0 }
    const others = alive()
    ledger.taking = { missing: new Set(others), reports: new Map(), early: ledger.taking?.early ?? [] }
    ledger.isInGrace = owner !== self && !this.isHeirOf(owner) && !this.#finished.has(owner)
    log.info?.('takes a ledger over', { owner, epoch: number, asks: others.length })
    this.#draw(ledger, true)
    for (const node of others) this.#options.send(node, { type: 'ledger.gather', succession: ledger.view })
    const holdings = this.#options.holdings(owner)
    ledger.taking.reports.set(self, [{ owner, epoch: ledger.view.epoch, isLast: true, ...holdings }])
    this.#options.moved(owner)
    this.#check(owner, ledger)
  }

  /** Free places of a ledger's list are filled, and everybody is told of a change. */
  #draw(ledger: Ledger, isNew = false): void {
    const { self, alive, deviceOf } = this.#options
    const { owner, epoch, version, successors, heir } = ledger.view
    const candidates = alive()
      .filter((node) => node !== owner)
      .map((node) => ({ node, device: deviceOf(node) }))
    const drawn = drawSuccessors(owner, { node: self, device: deviceOf(self) }, successors, candidates)
    if (
      !isNew &&
      version > 0 &&
      drawn.length === successors.length &&
      drawn.every((node, at) => node === successors[at])
    )
      return
    ledger.view = {
      owner,
      epoch,
      version: version + 1,
      successors: drawn,
      heir: owner === self ? this.#heir : heir,
    }
    // A gather says it too.
    if (!isNew) this.#tellAll(ledger)
    this.#options.drawn(owner, drawn, isNew)
  }

  #tellAll({ view }: Ledger): void {
    for (const node of this.#options.alive()) this.#options.send(node, { type: 'ledger.succession', succession: view })
  }

  /** A list from anybody: the highest counts. @returns false when ours is newer, and says so */
  #hear(from: NodeId, succession: Succession): boolean {
    const { self, isAlive, send } = this.#options
    const { owner } = succession
    const known = this.#ledgers.get(owner)
    const view = known?.view ?? firstSuccession(owner)
    if (known !== undefined && !isNewer(succession, view)) {
      if (isNewer(view, succession)) send(from, { type: 'ledger.succession', succession: view })
      else if (!this.#isUp(view.epoch.minter)) this.#succeed(owner)
      return compareEpochs(view.epoch, succession.epoch) === 0
    }
    const wasMine = this.isMine(owner) && succession.epoch.minter !== self
    const ledger = this.#ledger(owner)
    ledger.view = succession
    this.#options.listed(owner)
    // Nobody can take away what this node knows of its own.
    if (wasMine && owner !== self) {
      const isHeir = this.isHeirOf(owner)
      const early = (isHeir ? undefined : ledger.taking?.early) ?? []
      if (!isHeir) ledger.taking = undefined
      ledger.isInGrace = false
      this.#options.deposed(owner)
      for (const callback of early) callback()
    }
    if (succession.epoch.minter === self) return true
    // Whoever lives takes its own ledger back; what is gone is taken over.
    if (owner === self || this.isHeirOf(owner)) this.#takeOver(owner)
    else if (!isAlive(succession.epoch.minter)) this.#succeed(owner)
    return true
  }

  /** Asks whoever answers for the ledger of a tab that this one was. True when there was reason to. */
  #claim({ owner, epoch, heir }: Succession): boolean {
    const secret = heir && this.#claims.get(heir.node)
    if (secret === undefined || this.#heir === undefined) return false
    const nextHash = this.#heir.secretHash
    this.#options.send(epoch.minter, { type: 'ledger.claim', owner, secret, nextHash })
    return true
  }

  /** Whoever answers judges a claim: of two tabs with one secret, the first has it, and none while the tab it was made in lives. */
  async #onClaim(from: NodeId, { owner, secret, nextHash }: NodeMessage & { type: 'ledger.claim' }): Promise<void> {
    const hash = await this.#options.sha256(secret)
    const ledger = this.#ledgers.get(owner)
    const heir = ledger?.view.heir
    if (
      ledger === undefined ||
      heir === undefined ||
      !this.isMine(owner) ||
      this.#isUp(heir.node) ||
      this.#finished.has(owner) ||
      !hash.every((byte, at) => byte === heir.secretHash[at])
    ) {
      this.#options.log.warn('a claim was refused', { from, owner })
      return
    }
    // The secret is used up. Whoever hears that it is the heir takes the ledger over.
    const { version } = ledger.view
    ledger.view = { ...ledger.view, version: version + 1, heir: { node: from, secretHash: nextHash } }
    this.#tellAll(ledger)
  }

  #onGather(from: NodeId, succession: Succession): void {
    const { owner } = succession
    if (succession.epoch.minter !== from || !this.#hear(from, succession)) return
    // Our own ledger: it is being taken back.
    if (compareEpochs(this.viewOf(owner).epoch, succession.epoch) !== 0) return
    const isClaimed = this.#claim(succession)
    this.#options.sendRecords(from, owner)
    const { refs, copies, runs, actors } = this.#options.holdings(owner)
    const most = LIMITS.messageReferences
    const parts = Math.max(1, Math.ceil(Math.max(refs.length, copies.length, runs.length, actors.length) / most))
    for (let part = 0; part < parts; part++) {
      const slice = <T>(items: readonly T[]): T[] => items.slice(part * most, (part + 1) * most)
      this.#options.send(from, {
        type: 'ledger.report',
        owner,
        epoch: succession.epoch,
        refs: slice(refs),
        copies: slice(copies),
        runs: slice(runs),
        actors: slice(actors),
        isLast: part === parts - 1,
      })
    }
    if (!isClaimed) this.#options.moved(owner)
    else
      this.#options.later(CLAIM_MS, () => {
        if (!this.isMine(owner)) this.#options.moved(owner)
      })
  }

  #onReport(from: NodeId, report: LedgerReport): void {
    const { owner, epoch } = report
    const ledger = this.#ledgers.get(owner)
    if (ledger === undefined || !this.isMine(owner) || compareEpochs(ledger.view.epoch, epoch) !== 0) return
    this.#options.counts(owner, from, report)
    const { taking } = ledger
    const parts = taking?.reports.get(from) ?? []
    taking?.reports.set(from, [...parts, report])
    if (taking === undefined) this.#options.lateCopies(owner, from, report.copies)
    if (!report.isLast) return
    this.#options.send(from, { type: 'ledger.reported', owner, epoch })
    taking?.missing.delete(from)
    this.#check(owner, ledger)
  }

  /** Acts once every living node has said what it has. */
  #check(owner: NodeId, ledger: Ledger): void {
    const { taking } = ledger
    if (taking === undefined || (this.#isEntering && this.driverOf(owner) === this.#options.self)) return
    if (taking.missing.size > 0 && this.#options.gathers !== false) return
    ledger.taking = undefined
    const { epoch } = ledger.view
    this.#options.takenOver(owner, gatherReports(taking.reports))
    for (const callback of taking.early) callback()
    if (owner === this.#options.self) return
    if (!ledger.isInGrace) this.#graceEnded(owner)
    else
      this.#options.later(this.#options.graceMs, () => {
        if (this.#ledgers.get(owner) !== ledger || compareEpochs(ledger.view.epoch, epoch) !== 0) return
        ledger.isInGrace = false
        this.#graceEnded(owner)
      })
  }

  #graceEnded(owner: NodeId): void {
    // A job whose driver has come back is over when that driver goes, whatever is left of its ledger.
    if (!this.#options.graceEnded(owner) || this.isHeirOf(owner)) return
    const { epoch } = this.viewOf(owner)
    for (const node of this.#options.alive()) this.#options.send(node, { type: 'ledger.over', owner, epoch })
    this.#end(owner)
  }

  #end(owner: NodeId): void {
    this.#ledgers.delete(owner)
    this.#options.over(owner)
  }

  #isOf(from: NodeId, { owner, epoch }: Pick<LedgerReport, 'owner' | 'epoch'>): boolean {
    const { view } = this.#ledgers.get(owner) ?? {}
    return view !== undefined && view.epoch.minter === from && compareEpochs(view.epoch, epoch) === 0
  }

  #isUp(node: NodeId): boolean {
    return node === this.#options.self || this.#options.isAlive(node)
  }

  #ledger(owner: NodeId): Ledger {
    let ledger = this.#ledgers.get(owner)
    if (ledger === undefined) {
      ledger = { view: firstSuccession(owner), taking: undefined, isInGrace: false }
      this.#ledgers.set(owner, ledger)
    }
    return ledger
  }
}
