import { ByteReader, ByteWriter, fromHex, LIMITS, linkReport, nodeIdOfKeyHash, ProtocolError } from '@shoal/protocol'
import type { Clock, Log, Timer } from '@shoal/base'
import type { Crypto, LinkFrame, LinkReport, LinkState, NodeId, Session, SignedReport } from '@shoal/protocol'
import type { LinkIdentity } from './hello.ts'
import { LinkMap } from './link-map.ts'
import type { LinkWord } from './link-map.ts'
import { SerialTasks } from './serial-tasks.ts'
import { GOSSIP_MS, NEWS_MS, REPORT_EVERY_MS, WAITING_SIGNALS } from './timing.ts'

const PURPOSE = 'shoal link report'
/** Of reports in one frame; a report of 12 links has some 350 bytes. */
const FRAME_BYTES = 64 * 1024

/** Mostly longer than a message between two tabs takes. */
const WAITED_TURNS = 1

export interface LinkGossipOptions {
  readonly self: LinkIdentity
  readonly clock: Clock
  readonly crypto: Crypto
  readonly log: Log
  /** The session is over: nothing that it says is taken. */
  isOver(node: NodeId, session: Session): boolean
  /** To a neighbour with whom a link is open. */
  send(neighbour: NodeId, frame: LinkFrame): void
  /** Others made the map another: at once where there is a vote, else for many reports together. */
  changed(isVote: boolean): void
  /** A report that its node did not sign. */
  bad(from: NodeId, error: ProtocolError): void
}

/**
 * Carries each node's word on its own links to all others: signed by the node, told to a neighbour that lacks it, and
 * by that one to its own. What changes within GOSSIP_MS makes one report and one frame a neighbour; while nothing
 * changes nothing is sent. Two ends of a new link first say which reports they have. It decides nothing: see `LinkMap`.
 */
export class LinkGossip {
  readonly map: LinkMap
  readonly #options: LinkGossipOptions
  readonly #signed = new Map<NodeId, SignedReport>()
  /** What each neighbour lacks, and at how many turns it is waited that it may have it from others. */
  readonly #owed = new Map<NodeId, Map<NodeId, number>>()
  readonly #checking: SerialTasks<NodeId>
  #timer: Timer | undefined
  #dueAt = 0
  #isOwnDue = false
  /** A vote waits for nothing; new links come many at a time. */
  #isUrgent = false
  #signedAt = Number.NEGATIVE_INFINITY
  #isSigning = false
  #isChangeDue = false
  #isMapDue = false
  #isClosed = false

  constructor(options: LinkGossipOptions) {
    this.#options = options
    this.map = new LinkMap(options.self.node, options.self.session)
    this.#checking = new SerialTasks<NodeId>({
      limit: WAITING_SIGNALS,
      keysLimit: LIMITS.roomMembers,
      onError: (from, error) => {
        if (error instanceof ProtocolError) options.bad(from, error)
        else options.log.error('a report could not be checked', { error })
      },
    })
  }

  /**
   * Our word on a link of ours; undefined: we have none any more. It is in the map at once, and `changed` is not said.
   * `canWait`: others need not know before they are told something else.
   */
  say(node: NodeId, session: Session, state: LinkState | undefined, canWait = false): void {
    if (this.#isClosed || !this.map.say(node, state && { session, state }) || canWait) return
    this.#isOwnDue = true
    if (state !== undefined && state !== 'linked' && state !== 'lost') this.#isUrgent = true
    this.#schedule()
  }

  linked(neighbour: NodeId): void {
    if (this.#isClosed) return
    this.#owed.set(neighbour, new Map())
    const reports = [...this.#signed.values()].map(({ node, session, version }) => ({ node, session, version }))
    this.#options.send(neighbour, { type: 'known', reports })
  }

  unlinked(neighbour: NodeId): void {
    this.#owed.delete(neighbour)
  }

  onKnown(from: NodeId, frame: Extract<LinkFrame, { type: 'known' }>): void {
    const owed = this.#owed.get(from)
    if (owed === undefined) return
    const theirs = new Map(frame.reports.map((report) => [report.node, report]))
    for (const [node, { session, version }] of this.#signed) {
      const known = theirs.get(node)
      const isOld =
        known !== undefined && (known.session > session || (known.session === session && known.version >= version))
      if (!isOld && node !== from) owed.set(node, 0)
    }
    this.#schedule()
  }

  onReports(from: NodeId, frame: Extract<LinkFrame, { type: 'reports' }>): void {
    for (const signed of frame.reports) {
      if (signed.node === this.#options.self.node) continue
      // The neighbour has it: it need not be told.
      const { session, version } = signed
      this.#hasIt(from, signed)
      if (!this.#isWanted(signed)) continue
      const report = readReport(signed.report)
      if (report.session !== session || report.version !== version) {
        throw new ProtocolError('malformed', 'a report of another number than it says')
      }
      this.#checking.add(signed.node, async () => {
        if (!this.#isWanted(signed)) return
        if (!(await this.#isProven(signed))) {
          throw new ProtocolError('denied', 'a report that its node did not sign')
        }
        this.#take(from, signed, report)
      })
    }
  }

  /** The session is over. */
  forget(node: NodeId, session: Session): void {
    this.map.forget(node, session)
    const known = this.#signed.get(node)
    if (known !== undefined && known.session <= session) this.#signed.delete(node)
    this.#change()
  }

  /** The proven key of a node that reported. */
  keyOf(node: NodeId, session: Session): Uint8Array<ArrayBuffer> | undefined {
    const signed = this.#signed.get(node)
    return signed?.session === session ? signed.publicKey : undefined
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #isWanted({ node, session, version }: SignedReport): boolean {
    if (this.#isClosed || this.#options.isOver(node, session)) return false
    return this.map.isNews(node, session, version)
  }

  #hasIt(neighbour: NodeId, { node, session, version }: SignedReport): void {
    const known = this.#signed.get(node)
    if (known?.session === session && known.version === version) this.#owed.get(neighbour)?.delete(node)
  }

  async #isProven(signed: SignedReport): Promise<boolean> {
    const { crypto, self } = this.#options
    const known = this.#signed.get(signed.node)?.publicKey
    const isKnownKey = known?.every((byte, i) => byte === signed.publicKey[i]) === true
    if (!isKnownKey && nodeIdOfKeyHash(await crypto.sha256(signed.publicKey)) !== signed.node) return false
    return crypto.verify(signed.publicKey, textOf(self.room, signed.node, signed.report), signed.signature)
  }

  #take(from: NodeId, signed: SignedReport, report: LinkReport): void {
    // Another may have come first while this one was checked.
    if (!this.#isWanted(signed)) return
    const links = new Map<NodeId, LinkWord>()
    for (const word of report.links) links.set(word.node, word)
    const before = this.map.report(signed.node)?.links
    this.map.take(signed.node, { session: report.session, version: report.version, links })
    this.#signed.set(signed.node, signed)
    this.#owed.get(from)?.delete(signed.node)
    for (const [neighbour, owed] of this.#owed) {
      if (neighbour !== from && neighbour !== signed.node) owed.set(signed.node, this.#turnsFor(neighbour, signed.node))
    }
    this.#isMapDue = true
    const hasVote = report.links.some(({ node, session, state }) => {
      const known = before?.get(node)
      return state !== 'linked' && state !== 'lost' && (known?.state !== state || known.session !== session)
    })
    if (hasVote) this.#change()
    this.#schedule(hasVote ? GOSSIP_MS : NEWS_MS)
  }

  /**
   * Two neighbours mostly hear a report at one time, and would each tell the other: half of all that is told. So one of
   * them, another one for each report, first waits whether the other does.
   */
  #turnsFor(neighbour: NodeId, node: NodeId): number {
    const isFirst = this.#options.self.node < neighbour === (node.charCodeAt(node.length - 1) & 1) > 0
    return isFirst ? 0 : WAITED_TURNS
  }

  #change(): void {
    if (this.#isChangeDue || this.#isClosed) return
    this.#isChangeDue = true
    queueMicrotask(() => {
      this.#isChangeDue = this.#isMapDue = false
      if (!this.#isClosed) this.#options.changed(true)
    })
  }

  #schedule(waitMs = GOSSIP_MS): void {
    const { clock } = this.#options
    const dueAt = clock.now() + waitMs
    if (this.#isClosed || (this.#timer !== undefined && this.#dueAt <= dueAt)) return
    this.#timer?.cancel()
    this.#dueAt = dueAt
    this.#timer = clock.after(waitMs, () => {
      this.#timer = undefined
      if (this.#isMapDue) this.#options.changed(false)
      this.#isMapDue = false
      const isRested = clock.now() - this.#signedAt >= REPORT_EVERY_MS
      if (this.#isOwnDue && (this.#isUrgent || isRested)) void this.#sign()
      else this.#flush()
      if (this.#isOwnDue) this.#schedule()
    })
  }

  /** One signature at a time, and what changed meanwhile goes into the next. */
  async #sign(): Promise<void> {
    if (this.#isSigning) return
    this.#isSigning = true
    this.#isOwnDue = this.#isUrgent = false
    this.#signedAt = this.#options.clock.now()
    const { self, log } = this.#options
    const report: LinkReport = {
      session: self.session,
      version: this.map.nextVersion(),
      links: [...this.map.own].slice(0, 256).map(([node, word]) => ({ node, ...word })),
    }
    const writer = new ByteWriter(512)
    linkReport.write(writer, report)
    const body = writer.finish()
    try {
      const signature = await self.keyPair.sign(textOf(self.room, self.node, body))
      const { session, version } = report
      const { node, publicKey } = self
      this.#signed.set(node, { node, session, version, publicKey, report: body, signature })
      for (const owed of this.#owed.values()) owed.set(self.node, 0)
    } catch (error) {
      log.error('a report could not be signed', { error })
    }
    this.#isSigning = false
    if (this.#isClosed) return
    this.#flush()
    if (this.#isOwnDue) this.#schedule()
  }

  #flush(): void {
    for (const [neighbour, owed] of this.#owed) {
      let reports: SignedReport[] = []
      let bytes = 0
      for (const [node, turns] of owed) {
        if (turns > 0) {
          owed.set(node, turns - 1)
          this.#schedule(NEWS_MS)
          continue
        }
        owed.delete(node)
        const signed = this.#signed.get(node)
        if (signed === undefined) continue
        reports.push(signed)
        bytes += signed.report.length + 128
        if (bytes < FRAME_BYTES) continue
        this.#options.send(neighbour, { type: 'reports', reports })
        reports = []
        bytes = 0
      }
      if (reports.length > 0) this.#options.send(neighbour, { type: 'reports', reports })
    }
  }
}

function readReport(bytes: Uint8Array<ArrayBuffer>): LinkReport {
  const reader = new ByteReader(bytes)
  const report = linkReport.read(reader)
  if (!reader.isDone) throw new ProtocolError('malformed', 'bytes after the end of a report')
  return report
}

function textOf(room: string, node: NodeId, report: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(512)
  writer.string(PURPOSE)
  writer.raw(fromHex(room))
  writer.raw(fromHex(node))
  writer.raw(report)
  return writer.finish()
}
