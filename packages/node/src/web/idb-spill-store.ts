import { SpillError } from '@shoal/object-store'
import type { SpilledBytes, SpillStore } from '@shoal/object-store'
import type { NodeId } from '@shoal/protocol'
import { delMany, getMany, setMany } from 'idb-keyval'
import type { UseStore } from 'idb-keyval'

/** Databases of tabs of this origin, one each. */
const PREFIX = 'shoal-spill/'
const STORE = 'objects'
/** Not while the tab starts. */
const SWEEP_AFTER_MS = 5_000

/**
 * Spilled objects in IndexedDB: a database of this tab's own, made when something is first spilled and deleted with the tab's
 * session. What tabs that are gone have left is deleted too: a database that its tab still uses stays until that is gone,
 * since the browser lets a deletion wait for whoever has it open.
 */
export function createIdbSpillStore(node: NodeId): SpillStore {
  const name = PREFIX + node
  let opened: Promise<IDBDatabase> | undefined
  let isClosed = false
  const use: UseStore = async (mode, callback) => {
    opened ??= openDatabase(name, () => (opened = undefined))
    const database = await opened.catch((error: unknown) => {
      opened = undefined
      throw new SpillError('unavailable', messageOf(error))
    })
    return callback(database.transaction(STORE, mode, { durability: 'relaxed' }).objectStore(STORE))
  }
  const timer = setTimeout(() => void sweep(name), SWEEP_AFTER_MS)
  return {
    async write(objects) {
      try {
        await setMany(
          objects.map(([key, { body, buffers }]): [number, SpilledBytes] => [
            key,
            { body: compact(body), buffers: buffers.map(compact) },
          ]),
          use,
        )
      } catch (error) {
        if (error instanceof SpillError) throw error
        // QuotaExceededError in most cases; whatever else it is, this object cannot be written now.
        throw new SpillError('full', messageOf(error))
      }
    },
    read: (keys) => getMany<SpilledBytes>([...keys], use),
    remove: (keys) => delMany([...keys], use),
    async close() {
      clearTimeout(timer)
      if (isClosed || opened === undefined) return
      isClosed = true
      const database = await opened
      database.close()
      await done(indexedDB.deleteDatabase(name))
    },
  }
}

function openDatabase(name: string, lost: () => void): Promise<IDBDatabase> {
  // Absent, or a getter that throws, where a browser keeps nothing.
  const factory = (globalThis as { readonly indexedDB?: IDBFactory }).indexedDB
  if (factory === undefined) return Promise.reject(new Error('this browser has no IndexedDB here'))
  const request = factory.open(name, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return done(request).then((database) => {
    // The browser has wiped it, or a person has: what is read from now on is not there.
    database.onclose = lost
    return database
  })
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'))
  })
}

/** Others' databases, from tabs that crashed perhaps. */
async function sweep(own: string): Promise<void> {
  try {
    for (const { name } of await indexedDB.databases())
      if (name?.startsWith(PREFIX) === true && name !== own) indexedDB.deleteDatabase(name)
  } catch {
    // Where nothing can be kept, nothing was left.
  }
}

/** A view into something larger would take all of that along. */
function compact(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
