import { seededRandom, silentLog } from '@shoal/base'
import type { Random } from '@shoal/base'
import { nodeIdOfKeyHash, roomIdOfKeyHash } from '@shoal/protocol'
import type { Crypto, KeyPair, NodeId, NodeMessage, RoomId } from '@shoal/protocol'
import { createDirectorySync } from '../directory/directory-sync.ts'
import type { DirectorySync } from '../directory/directory-sync.ts'
import { createDirectory } from '../directory/directory.ts'
import type { Directory } from '../directory/directory.ts'
import { FakeClock } from './fake-clock.ts'
import { createNodeCrypto } from './node-crypto.ts'

export interface TestNode {
  readonly id: NodeId
  readonly keyPair: KeyPair
  readonly directory: Directory
  readonly sync: DirectorySync
}

/** A few directories in one process, linked by queues that deliver in an order drawn from the seed. */
export class DirectoryRoom {
  readonly clock = new FakeClock()
  readonly random: Random
  readonly crypto: Crypto
  readonly roomKey: Uint8Array<ArrayBuffer>
  readonly nodes: TestNode[] = []
  sent = 0
  readonly #owner: KeyPair
  readonly room: RoomId
  readonly #links = new Map<string, NodeMessage[]>()
  readonly #cut = new Set<string>()

  private constructor(random: Random, crypto: Crypto, owner: KeyPair, room: RoomId) {
    this.random = random
    this.crypto = crypto
    this.roomKey = random.bytes(16)
    this.#owner = owner
    this.room = room
  }

  /** `makeCrypto`: the real algorithms unless the history is long. */
  static async create(seed: number, makeCrypto: (random: Random) => Crypto = createNodeCrypto): Promise<DirectoryRoom> {
    const random = seededRandom(seed)
    const crypto = makeCrypto(random)
    const owner = await crypto.keyPair(random.bytes(32))
    return new DirectoryRoom(random, crypto, owner, roomIdOfKeyHash(await crypto.sha256(owner.publicKey)))
  }

  /** A node, linked to all that are there. */
  async join(
    options: { readonly isOwner?: boolean; readonly keyPair?: KeyPair; readonly versionsAbove?: number } = {},
  ): Promise<TestNode> {
    const { random, crypto, clock, room, roomKey } = this
    const keyPair = options.keyPair ?? (await crypto.keyPair(random.bytes(32)))
    const id = nodeIdOfKeyHash(await crypto.sha256(keyPair.publicKey))
    const directory = createDirectory({
      clock,
      random,
      crypto,
      log: silentLog,
      self: id,
      room,
      roomKey,
      keyPair,
      versionsAbove: options.versionsAbove ?? 0,
      ...(options.isOwner ? { ownerKeyPair: this.#owner } : {}),
    })
    const sync = createDirectorySync({ directory, clock, random, send: (to, message) => this.#send(id, to, message) })
    const node: TestNode = { id, keyPair, directory, sync }
    for (const other of this.nodes) this.link(node, other)
    this.nodes.push(node)
    return node
  }

  leave(node: TestNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    for (const other of this.nodes) other.sync.unlinked(node.id)
    node.sync.close()
    node.directory.close()
  }

  link(a: TestNode, b: TestNode): void {
    this.#cut.delete(pair(a.id, b.id))
    a.sync.linked(b.id)
    b.sync.linked(a.id)
  }

  cut(a: TestNode, b: TestNode): void {
    this.#cut.add(pair(a.id, b.id))
    for (const path of [`${a.id} ${b.id}`, `${b.id} ${a.id}`]) this.#links.delete(path)
    a.sync.unlinked(b.id)
    b.sync.unlinked(a.id)
  }

  /** Lets `ms` pass in steps of 100, delivering all messages and all cryptography of each. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 100) {
      await this.deliver()
      if (passed < ms) this.clock.advance(Math.min(100, ms - passed))
    }
    await this.deliver()
  }

  async deliver(): Promise<void> {
    for (let quiet = 0; quiet < 2;) {
      // A turn of the event loop: Node's crypto above answers within microtasks.
      await new Promise((resolve) => setImmediate(resolve))
      const waiting = [...this.#links].filter(([, messages]) => messages.length > 0)
      const next = waiting[Math.floor(this.random.float() * waiting.length)]
      if (next === undefined) {
        quiet++
        continue
      }
      quiet = 0
      const [from = '', to = ''] = next[0].split(' ')
      const message = next[1].shift()
      // Else a long history makes each step slower.
      if (next[1].length === 0) this.#links.delete(next[0])
      const node = this.nodes.find(({ id }) => id === to)
      if (message) node?.sync.receive(from as NodeId, message)
    }
  }

  #send(from: NodeId, to: NodeId, message: NodeMessage): void {
    if (this.#cut.has(pair(from, to))) return
    this.sent++
    const path = `${from} ${to}`
    const queue = this.#links.get(path) ?? []
    queue.push(message)
    this.#links.set(path, queue)
  }
}

function pair(a: NodeId, b: NodeId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
