import { registerError } from '@shoal/sdk'

/**
 * A queue has no item, or too few for a batch, and there is no time left to wait for one.
 *
 * @example
 * using queue = new Queue<number>()
 * await queue.getNowait().catch((error: unknown) => error instanceof Empty) // true
 */
export class Empty extends Error {
  override readonly name = 'Empty'
}

/**
 * A queue has no room, or too little for a batch, and there is no time left to wait for it.
 *
 * @example
 * using queue = new Queue<number>({ maxSize: 1 })
 * await queue.put(1)
 * await queue.putNowait(2).catch((error: unknown) => error instanceof Full) // true
 */
export class Full extends Error {
  override readonly name = 'Full'
}

// Here, where the queue's actor and those who call it both come by: else they would arrive as plain errors.
registerError(Empty, '@shoal/util/Empty')
registerError(Full, '@shoal/util/Full')
