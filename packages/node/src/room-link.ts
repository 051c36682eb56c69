// Long because overlay, membership and directory meet here and nowhere else.
import { Subscribable } from '@shoal/base'
import type { Clock, Log, Random } from '@shoal/base'
import {
  createDepartures,
  createDirectory,
  createDirectorySync,
  createMembership,
  createNames,
} from '@shoal/control-store'
import type { Departures, Directory, DirectorySync, Membership, Names } from '@shoal/control-store'
import { ByteReader, ByteWriter, nodeCard, RoomError, roomSettings, submitterGrant } from '@shoal/protocol'
import type {
  Crypto,
  KeyPair,
  NodeCard,
  NodeId,
  NodeMessage,
  ObjectId,
  Refusal,
  RegisteredName,
  RoomId,
  RoomSettings,
  Schema,
  Session,
} from '@shoal/protocol'
import { createOverlay } from '@shoal/transport'
import type { Connector, LinkStats, Overlay, Peer, Signaling } from '@shoal/transport'

/** What the rest of the node hears from its room. */
export interface RoomHandlers {
  /** A peer's key is proven, it is alive and there is a path to it: messages may be sent. */
  alive(node: NodeId): void
  /** The path to a live peer is another, a link or a way over members: what was under way on the bulk lane is lost. */
  relinked(node: NodeId): void
  /** A verdict: the node's session is over. Also said of one that went, or cannot be linked, before it was ever alive. */
  dead(node: NodeId): void
  message(from: NodeId, message: NodeMessage): void
  bulk(from: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void
  /** A member has given this tab's session up: the room has to be entered again under a higher one. */
  over(): void
  /** After a partition a name that an actor had is another's. */
  nameLost(actor: ObjectId): void
  /** The room's owner has written what holds for everybody. */
  settings(settings: RoomSettings): void
  /** A record of where a placement group's bundles are. */
  group?(key: string, body: Uint8Array<ArrayBuffer> | undefined): void
  /** Members, cards or grants changed. */
  changed(): void
}

export interface RoomLinkOptions {
  readonly self: NodeId
  readonly session: Session
  readonly keyPair: KeyPair
  readonly room: RoomId
  readonly roomKey: Uint8Array<ArrayBuffer>
  /** In tabs with the owner's link. */
  readonly ownerKeyPair: KeyPair | undefined
  /** Keys that this tab's page had before it was reloaded: code that they signed stays admitted. */
  readonly formerKeys?: readonly Uint8Array<ArrayBuffer>[]
  /** What the owner has decided, where it does; else what the directory says stands. */
  readonly settings?: RoomSettings | undefined
  readonly clock: Clock
  readonly random: Random
  readonly crypto: Crypto
  readonly log: Log
  readonly connector: Connector
  readonly signaling: Signaling
  /** Seeds the directory over the room's server. */
  seed?(directory: Directory): { close(): void }
  readonly handlers: RoomHandlers
}

export interface RoomMember {
  readonly node: NodeId
  readonly card: NodeCard | undefined
  readonly canSubmit: boolean
  /** incompatible: it speaks another version; one of the two has to reload. */
  readonly state: 'connecting' | 'connected' | 'unreachable' | 'incompatible'
  readonly isDirect: boolean
  /** The two have a link of their own. */
  readonly isNeighbour: boolean
  readonly stats: LinkStats | undefined
}

/** Where the directory keeps what holds for the whole room. */
const SETTINGS = 'room/settings'
/** And each node's placement groups: `<kind><slot>/<node>`. */
const GROUPS = 'group/'
/** More than one session ever writes of one record. */
const VERSIONS_A_SESSION = 2 ** 24
/** How long a grant may lag behind the task that needs it. */
const GRANT_WAIT_MS = 3_000
/** Who has just come asks for names once it is linked to all who are there, or has had the time for it. */
const SETTLE_LOOK_MS = 100
const SETTLE_MOST_MS = 5_000

/** Given to `ShoalNode.join`, since tabs load it when they enter a room. */
export function createRoomLink(options: RoomLinkOptions): RoomLink {
  return new RoomLink(options)
}

/**
 * One node's place in one room: the overlay, who lives, and the directory, put together. It passes on what others say
 * and knows nothing of tasks or objects.
 */
export class RoomLink {
  readonly #options: RoomLinkOptions
  readonly #overlay: Overlay
  readonly #membership: Membership
  readonly #directory: Directory
  readonly #sync: DirectorySync
  readonly #departures: Departures
  readonly #names: Names
  readonly #enteredAtMs: number
  readonly #seed: { close(): void } | undefined
  readonly #connecting = new Map<NodeId, 'connecting' | 'unreachable' | 'incompatible'>()
  readonly #linked = new Map<NodeId, Peer>()
  readonly #grants: Subscribable<void>
  readonly #cards = new WeakMap<Uint8Array, NodeCard | undefined>()
  readonly #departed = new Set<NodeId>()
  #isServerUp = false
  #refusal: Refusal | undefined
  /** Traffic with peers that are gone. */
  readonly #past = { sent: 0, received: 0 }
  #isClosed = false

  constructor(options: RoomLinkOptions) {
    this.#options = options
    const { clock, random, crypto, log, self, session, keyPair, room, roomKey, ownerKeyPair, handlers } = options
    this.#grants = new Subscribable((error) => log.error('a listener failed', { error: String(error) }))
    this.#directory = createDirectory({
      clock,
      random,
      crypto,
      log: log.child('directory'),
      self,
      room,
      roomKey,
      keyPair,
      ...(ownerKeyPair && { ownerKeyPair }),
      versionsAbove: (session - 1) * VERSIONS_A_SESSION,
    })
    this.#directory.subscribe(({ key, entry }) => {
      this.#grants.emit()
      const settings = key === SETTINGS ? understood(roomSettings, entry?.body) : undefined
      if (settings !== undefined) handlers.settings(settings)
      if (key.startsWith(GROUPS)) handlers.group?.(key, entry?.body)
      handlers.changed()
    })
    this.#overlay = createOverlay({
      self: { node: self, session, keyPair, publicKey: keyPair.publicKey },
      room,
      roomKey,
      clock,
      random,
      crypto,
      connector: options.connector,
      signaling: options.signaling,
      log: log.child('overlay'),
    })
    this.#membership = createMembership({
      clock,
      self,
      log,
      handlers: {
        alive: (node) => {
          this.#tellNames()
          handlers.alive(node)
        },
        dead: (node, deadSession) => this.#dead(node, deadSession),
        doubt: (node, itsSession, why) => this.#overlay.doubt(node, itsSession, why),
        refused: (node, oldSession) => this.#overlay.forget(node, oldSession),
        connectivity: () => handlers.changed(),
      },
    })
    const send = (to: NodeId, message: NodeMessage): void => this.#overlay.send(to, message)
    this.#sync = createDirectorySync({ directory: this.#directory, clock, random, send })
    this.#names = createNames({
      self,
      session,
      log,
      directory: this.#directory,
      send,
      onLost: (_name, actor) => handlers.nameLost(actor),
    })
    this.#enteredAtMs = clock.now()
    this.#tellNames()
    const isKnown = (node: NodeId): boolean => this.isAlive(node) || this.#connecting.has(node)
    this.#departures = createDepartures({ directory: this.#directory, clock, isKnown, self })
    this.#seed = options.seed?.(this.#directory)
    this.#startOverlay()
  }

  get isServerUp(): boolean {
    return this.#isServerUp
  }

  /** Why the room's server will not have this tab; undefined while it does. */
  get refusal(): Refusal | undefined {
    return this.#refusal
  }

  get isOffline(): boolean {
    return this.#membership.isOffline
  }

  /** Writes this node's card and, with the owner's key, its leave to submit. */
  async introduce(card: NodeCard): Promise<void> {
    const { self, keyPair, ownerKeyPair, settings } = this.#options
    const writer = new ByteWriter(128)
    if (ownerKeyPair !== undefined && settings !== undefined) {
      roomSettings.write(writer, settings)
      await this.#directory.set(SETTINGS, writer.finish())
    }
    nodeCard.write(writer, card)
    await this.#directory.set(`node/${self}`, writer.finish())
    if (ownerKeyPair === undefined) return
    submitterGrant.write(writer, { publicKeys: [keyPair.publicKey, ...(this.#options.formerKeys ?? [])] })
    await this.#directory.set(`submitter/${self}`, writer.finish())
  }

  /** Tells of the placement group that has this slot of the node. */
  writeGroup(slot: number, body: Uint8Array<ArrayBuffer>): void {
    const { self, log } = this.#options
    this.#directory.set(`${GROUPS}${slot}/${self}`, body).catch((error: unknown) => {
      if (!this.#isClosed) log.error('the record of a placement group could not be written', { error: String(error) })
    })
  }

  /** Whether the room's owner has listed the node, as far as the directory has told. */
  canSubmit(node: NodeId): boolean {
    return this.#directory.get(`submitter/${node}`) !== undefined
  }

  /** Whether the room's owner listed the key; waits a moment for the directory to tell. */
  isListed(publicKey: Uint8Array): Promise<boolean> {
    const isThere = (): boolean =>
      this.#directory
        .entries('submitter/')
        .some(([, { body }]) => understood(submitterGrant, body)?.publicKeys.some((key) => isSame(key, publicKey)))
    if (isThere()) return Promise.resolve(true)
    if (this.#isClosed) return Promise.resolve(false)
    return new Promise((resolve) => {
      const finish = (isListed: boolean): void => {
        timer.cancel()
        end()
        resolve(isListed)
      }
      const end = this.#grants.subscribe(() => {
        if (this.#isClosed || isThere()) finish(!this.#isClosed)
      })
      const timer = this.#options.clock.after(GRANT_WAIT_MS, () => finish(false))
    })
  }

  /** Claims a name for an actor; undefined: it is the actor's, else who has it. Rejects when the room is left first. */
  async claimName(name: RegisteredName, actor: ObjectId): Promise<ObjectId | undefined> {
    await this.#settled()
    if (this.#isClosed) throw new RoomError('room', 'the room was left before the name could be claimed')
    const outcome = await this.#names.claim(name, actor)
    return outcome.type === 'won' ? undefined : outcome.holder
  }

  releaseName(name: RegisteredName, actor: ObjectId): void {
    if (!this.#isClosed) this.#names.release(name, actor)
  }

  /** Who has the name, as far as everybody who is there can say. */
  async findName(name: RegisteredName): Promise<ObjectId | undefined> {
    const known = this.#names.find(name)
    if (known !== undefined) return known
    await this.#settled()
    return this.#names.find(name)
  }

  #settled(): Promise<void> {
    const { clock } = this.#options
    return new Promise((resolve) => {
      const look = (): void => {
        const isWhole = this.#isServerUp && ![...this.#connecting.values()].includes('connecting')
        if (isWhole || this.#isClosed || clock.now() - this.#enteredAtMs > SETTLE_MOST_MS) resolve()
        else clock.after(SETTLE_LOOK_MS, look)
      }
      look()
    })
  }

  #tellNames(): void {
    const { self, session } = this.#options
    const sessions = this.alive().map((node) => [node, this.#membership.sessionOf(node) ?? session] as const)
    this.#names.members(new Map([[self, session], ...sessions]))
  }

  send(to: NodeId, message: NodeMessage): void {
    this.#overlay.send(to, message)
  }

  sendBulk(to: NodeId, pull: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#overlay.sendBulk(to, pull, offset, bytes)
  }

  bulkRoom(to: NodeId): number {
    return this.#overlay.bulkRoom(to)
  }

  onBulkRoom(to: NodeId, callback: () => void): void {
    this.#overlay.onBulkRoom(to, callback)
  }

  alive(): readonly NodeId[] {
    return this.#membership.alive()
  }

  isAlive(node: NodeId): boolean {
    return this.#membership.sessionOf(node) !== undefined
  }

  /** It was alive, and its last session is over. */
  isKnownDead(node: NodeId): boolean {
    return this.#departed.has(node) && !this.isAlive(node)
  }

  /** Alive, or about to be linked for the first time. Whoever is neither will never answer. */
  canReach(node: NodeId): boolean {
    return this.isAlive(node) || this.#connecting.get(node) === 'connecting'
  }

  card(node: NodeId): NodeCard | undefined {
    const body = this.#directory.get(`node/${node}`)?.body
    if (body === undefined) return undefined
    // All cards are asked for whenever anything in the room changes.
    if (!this.#cards.has(body)) this.#cards.set(body, understood(nodeCard, body))
    return this.#cards.get(body)
  }

  /** Bytes over all links since the room was entered, those of peers that left included. */
  traffic(): { readonly sent: number; readonly received: number } {
    let { sent, received } = this.#past
    for (const node of this.#linked.keys()) {
      const stats = this.#overlay.stats(node)
      sent += stats?.bytesSent ?? 0
      received += stats?.bytesReceived ?? 0
    }
    return { sent, received }
  }

  members(): RoomMember[] {
    const members: RoomMember[] = []
    for (const [node, peer] of this.#linked)
      members.push({
        node,
        card: this.card(node),
        canSubmit: this.canSubmit(node),
        state: 'connected',
        isDirect: peer.isDirect,
        isNeighbour: peer.isNeighbour,
        stats: this.#overlay.stats(node),
      })
    for (const [node, state] of this.#connecting)
      members.push({
        node,
        card: this.card(node),
        canSubmit: false,
        state,
        isDirect: true,
        isNeighbour: false,
        stats: undefined,
      })
    return members
  }

  close(reason: 'left' | 'closed' | 'reload'): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#grants.emit()
    this.#seed?.close()
    this.#sync.close()
    this.#departures.close()
    this.#membership.close()
    this.#overlay.close(reason)
    this.#directory.close()
  }

  #startOverlay(): void {
    const { handlers } = this.#options
    const membership = this.#membership
    this.#overlay.start({
      member: (node, _session, state) => {
        if (!this.#linked.has(node)) this.#connecting.set(node, state)
        // Whoever waits for a first link to it waits in vain.
        if (!this.canReach(node)) handlers.dead(node)
        handlers.changed()
      },
      linked: (peer) => {
        this.#connecting.delete(peer.node)
        const isNew = membership.sessionOf(peer.node) !== peer.session
        this.#linked.set(peer.node, peer)
        membership.linked(peer.node, peer.session, peer.isNeighbour)
        if (!isNew) handlers.relinked(peer.node)
        // Over a detour the directory would only cross the same links twice.
        this.#sync[peer.isNeighbour ? 'linked' : 'unlinked'](peer.node)
        handlers.changed()
      },
      unlinked: (node, session) => {
        membership.unlinked(node, session)
        this.#sync.unlinked(node)
        handlers.changed()
      },
      goodbye: (node, session) => membership.goodbye(node, session),
      accused: (node, session, why) => membership.accused(node, session, why),
      heard: (node, session) => membership.heard(node, session),
      over: (from) => {
        this.#options.log.warn('our session was given up by a member', { from })
        handlers.over()
      },
      refused: (reason) => {
        this.#refusal = reason
        handlers.changed()
      },
      hint: (node, session, state) => {
        if (node === undefined && state === 'present') this.#refusal = undefined
        this.#isServerUp = state === 'present' || (state === 'closed' && node !== undefined)
        // A socket that closed before there was a link: nobody to wait for.
        if (node !== undefined && state === 'closed' && !this.#linked.has(node) && this.#connecting.delete(node))
          handlers.dead(node)
        membership.hint(node, session, state)
        handlers.changed()
      },
      message: (from, message) => {
        if (!this.#sync.receive(from, message) && !this.#names.receive(from, message)) handlers.message(from, message)
      },
      bulk: (from, pull, offset, bytes) => handlers.bulk(from, pull, offset, bytes),
    })
  }

  #dead(node: NodeId, session: Session): void {
    const stats = this.#overlay.stats(node)
    this.#past.sent += stats?.bytesSent ?? 0
    this.#past.received += stats?.bytesReceived ?? 0
    this.#overlay.forget(node, session)
    // Its next life may be linked already: that is how the end of this one was found out.
    if ((this.#linked.get(node)?.session ?? 0) <= session) {
      this.#linked.delete(node)
      this.#connecting.delete(node)
      this.#sync.unlinked(node)
      this.#directory.retire(node)
      this.#departed.add(node)
    }
    this.#tellNames()
    this.#options.handlers.dead(node)
    this.#options.handlers.changed()
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** Writers are entitled to their records, not to be understood. */
function understood<T>(schema: Schema<T>, body: Uint8Array<ArrayBuffer> | undefined): T | undefined {
  if (body === undefined) return undefined
  try {
    return schema.read(new ByteReader(body))
  } catch {
    return undefined
  }
}
