import type { Clock, Log, Random } from '@shoal/base'
import { ObjectTable, Spilling, Transfers } from '@shoal/object-store'
import type { PullHolds, SpillStore, TransferNetwork } from '@shoal/object-store'
import type { Crypto, EncodedValue, FunctionHash, NodeId, NodeMessage, ObjectId } from '@shoal/protocol'
import type { RoomLink } from './room-link.ts'

/** Of objects in memory, where nobody says how much. */
const LIMIT_BYTES = 512 * 1024 * 1024
/** No limit may be lower: a few arguments and results at a time have to fit. */
const LEAST_BYTES = 1024 * 1024

export interface ObjectStorePorts {
  send(to: NodeId, message: NodeMessage): void
  canReach: TransferNetwork['canReach']
  link(): RoomLink | undefined
  measured(node: NodeId, bytesPerMs: number): void
  serveCode(hash: FunctionHash): EncodedValue | undefined
  serve(id: ObjectId): EncodedValue | Promise<EncodedValue | undefined> | undefined
  /** Another node is given what is inside of an object, which stays here until it confirms the number. */
  handOver(to: NodeId, id: ObjectId, refs: readonly ObjectId[]): number
  unhold(holds: PullHolds): void
  /** See `SpillingOptions.full`. */
  full(isFull: boolean): void
}

/** Where a node's objects lie, and how they come and go. */
export interface ObjectStore {
  readonly table: ObjectTable
  readonly spilling: Spilling
  readonly transfers: Transfers
  /** What objects may take in memory, where that is less than what the tab has for them. */
  limit(bytes: number | undefined): void
  status(): ObjectStoreStatus
  close(): void
}

export interface ObjectStoreStatus {
  readonly objects: number
  /** In memory and on disk. */
  readonly objectBytes: number
  /** Of those, on disk alone. */
  readonly spilledBytes: number
  /** What objects may take in memory. */
  readonly objectStoreBytes: number
  /** Whether objects can be spilled. */
  readonly disk: Spilling['disk']
}

export function createObjectStore(
  node: {
    readonly self: NodeId
    readonly clock: Clock
    readonly random: Random
    readonly crypto: Crypto
    readonly log: Log
    readonly objectStoreBytes?: number
    readonly spillStore?: SpillStore
  },
  ports: ObjectStorePorts,
): ObjectStore {
  const { self, clock, random, crypto, log } = node
  const { send, canReach, link, measured, serve, serveCode, handOver, unhold } = ports
  const now = (): number => clock.now()
  const hasBytes = node.objectStoreBytes ?? LIMIT_BYTES
  const table = new ObjectTable()
  const spilling = new Spilling({
    table,
    store: node.spillStore,
    limitBytes: hasBytes,
    log: log.child('spilling'),
    full: (isFull) => ports.full(isFull),
    now,
  })
  const transfers = new Transfers({
    self,
    log: log.child('transfers'),
    random,
    sha256: (bytes) => crypto.sha256(bytes),
    now,
    measured,
    network: {
      send,
      canReach,
      sendBulk: (to, pull, offset, bytes) => link()?.sendBulk(to, pull, offset, bytes),
      bulkRoom: (to) => link()?.bulkRoom(to) ?? 0,
      onBulkRoom: (to, callback) => link()?.onBulkRoom(to, callback),
    },
    lookup: (subject) => (subject.type === 'function' ? serveCode(subject.hash) : serve(subject.id)),
    // What is inside of code stays with its owner for as long as the code does.
    hold: (to, subject, { refs }) =>
      subject.type !== 'object' || refs.length === 0 ? 0 : handOver(to, subject.id, refs),
    unhold,
  })
  return {
    table,
    spilling,
    transfers,
    limit: (bytes = hasBytes) => spilling.limit(Math.min(hasBytes, Math.max(LEAST_BYTES, bytes))),
    status: () => ({
      objects: table.count,
      objectBytes: table.bytes,
      spilledBytes: table.spilledBytes,
      objectStoreBytes: spilling.limitBytes,
      disk: spilling.disk,
    }),
    close() {
      transfers.close()
      spilling.close()
    },
  }
}
