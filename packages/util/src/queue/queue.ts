import { get, kill } from '@shoal/sdk'
import type { ActorHandle, ActorOptions } from '@shoal/sdk'
import { checkTimeout, checkWhole } from '../checks.ts'
import { QueueActor } from './queue.remote.ts'
import type { QueueState } from './queue-state.ts'

/** A queue's actor: give it to tasks and actors, and make a Queue of it there. */
export type QueueHandle = ActorHandle<QueueState>

/** What a queue is made with. */
export interface QueueOptions {
  /** How many items it holds at most. Default 0: any number. */
  readonly maxSize?: number
  /** Of its actor: with a `name` the queue is found by `getActor`. */
  readonly actorOptions?: Omit<ActorOptions, 'maxConcurrency'>
  /** Makes no queue: it is the one that is behind this handle. */
  readonly actor?: QueueHandle
}

/** Whether a call of a queue waits, and how long. */
export interface QueueWaitOptions {
  /** False: fails at once instead of waiting. Default: true. */
  readonly block?: boolean
  /** How long it waits at most, from when the call is at the queue. Default: as long as it takes. */
  readonly timeoutMs?: number
}

/**
 * A first-in, first-out queue that tasks, actors and pages of the whole room share. It lives in an actor: `queue.actor` is
 * its handle, which may be passed on, and `new Queue({ actor: handle })` is the same queue there. Who waits is served in turn.
 * An item that was taken for a tab that has gone meanwhile is gone with it.
 *
 * Items rest in the actor as values, so that instances of registered classes, which it does not know, go in as refs.
 *
 * @throws RangeError for a `maxSize` that is no whole number from 0 on; TypeError for it beside `actor`.
 * @example
 * using queue = new Queue<string>({ maxSize: 100 })
 * // A remote module would say: await new Queue<string>({ actor: to }).put('hello')
 * const send = remote({}, async ({ get }, to: QueueHandle) => get(to.put.remote(['hello'], Infinity)))
 * send.remote(queue.actor)
 * await queue.get() // 'hello'
 */
export class Queue<T> implements Disposable {
  /** May be passed to tasks and actors. */
  readonly actor: QueueHandle

  constructor(options: QueueOptions = {}) {
    const { maxSize, actorOptions, actor } = options
    if (actor !== undefined && (maxSize !== undefined || actorOptions !== undefined))
      throw new TypeError('a queue that is there already, given as actor, takes no maxSize and no actorOptions')
    checkWhole('maxSize', maxSize ?? 0, 0)
    this.actor = actor ?? QueueActor.options(actorOptions ?? {}).remote(maxSize ?? 0)
  }

  /**
   * Puts an item at the end, once there is room.
   *
   * @throws Full when there is none in time; RangeError for a negative `timeoutMs`.
   * @example
   * await queue.put('hello', { timeoutMs: 1_000 })
   */
  async put(item: T, options: QueueWaitOptions = {}): Promise<void> {
    await get(this.actor.put.remote([item], timeoutOf(options)))
  }

  /**
   * Takes the first item, once there is one.
   *
   * @throws Empty when there is none in time; RangeError for a negative `timeoutMs`.
   * @example
   * const item = await queue.get({ timeoutMs: 1_000 })
   */
  async get(options: QueueWaitOptions = {}): Promise<T> {
    const [item] = await get(this.actor.get.remote(timeoutOf(options)))
    return item as T
  }

  /** As `put` with `block: false`. @throws Full */
  putNowait(item: T): Promise<void> {
    return this.put(item, { block: false })
  }

  /** As `get` with `block: false`. @throws Empty */
  getNowait(): Promise<T> {
    return this.get({ block: false })
  }

  /** Puts all items, or none. @throws Full when there is not room for all now. */
  async putNowaitBatch(items: readonly T[]): Promise<void> {
    await get(this.actor.putBatch.remote(items))
  }

  /** Takes so many items, or none. @throws Empty when there are fewer now; RangeError for what is no number of items. */
  async getNowaitBatch(count: number): Promise<T[]> {
    checkWhole('count', count, 0)
    return (await get(this.actor.getBatch.remote(count))) as T[]
  }

  /** How many items it held a moment ago. */
  async size(): Promise<number> {
    return (await get(this.actor.size.remote())).size
  }

  async empty(): Promise<boolean> {
    return (await this.size()) === 0
  }

  /** Never, where any number fits. */
  async full(): Promise<boolean> {
    const { size, maxSize } = await get(this.actor.size.remote())
    return maxSize > 0 && size >= maxSize
  }

  /** Ends the queue for everybody: calls that wait and later ones fail with ActorDiedError. */
  shutdown(): void {
    kill(this.actor)
  }

  /** Gives back this Queue's handle; the queue ends with its last one. */
  [Symbol.dispose](): void {
    this.actor[Symbol.dispose]()
  }
}

/** 0 means not to wait, as `block: false` does. */
function timeoutOf({ block = true, timeoutMs }: QueueWaitOptions): number {
  checkTimeout(timeoutMs)
  return block ? (timeoutMs ?? Infinity) : 0
}
