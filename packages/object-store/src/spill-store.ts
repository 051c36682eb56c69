/** An object's bytes as they go to disk; what it refers to stays in memory. */
export interface SpilledBytes {
  readonly body: Uint8Array<ArrayBuffer>
  readonly buffers: readonly Uint8Array<ArrayBuffer>[]
}

/**
 * A disk for objects that memory has no room for. It lives as long as its tab: keys mean nothing to another, and what a tab
 * that is gone has left is wiped.
 */
export interface SpillStore {
  /**
   * All of them or none. @throws SpillError `full` when there is no room, `unavailable` when there is no such store, as in
   * some browsers' private windows
   */
  write(objects: readonly (readonly [key: number, bytes: SpilledBytes])[]): Promise<void>
  /** In the order of the keys; undefined for what is not there any more: a browser may wipe it when disks are full. */
  read(keys: readonly number[]): Promise<readonly (SpilledBytes | undefined)[]>
  remove(keys: readonly number[]): Promise<void>
  /** Wipes everything that this tab has written. */
  close(): Promise<void>
}

export class SpillError extends Error {
  readonly reason: 'full' | 'unavailable'

  constructor(reason: 'full' | 'unavailable', message: string) {
    super(message)
    this.name = 'SpillError'
    this.reason = reason
  }
}
