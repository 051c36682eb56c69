import { SHARED_FROM_BYTES } from './frame-control.ts'
import type { FromWorker, Given } from './frame-control.ts'
import type { MessageLane } from './port-lanes.ts'

// User code that was handed shared memory could change what other workers read: all that touches it is taken before user
// code runs, and nothing here calls a method of what user code can reach. See port-lanes.ts.
const apply = Reflect.apply
const Bytes = Uint8Array
const Shared = globalThis.SharedArrayBuffer as typeof SharedArrayBuffer | undefined
const set = Bytes.prototype.set
const lengthGetter = Shared && Object.getOwnPropertyDescriptor(Shared.prototype, 'byteLength')?.get
const create = Object.create
const isArray = Array.isArray
const dataGetter =
  typeof MessageEvent === 'undefined' ? undefined : Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data')?.get

/** The large buffers that this thread is given, and leaves for others, in memory that the frame's workers share. */
export interface WorkerMemory {
  /**
   * The lane with such buffers in its messages: what came as a ticket is a copy of what that stands for, and messages behind
   * it wait until it is here; of what goes, a copy is left with the frame, whose numbers are the message's last item.
   */
  lane(lane: MessageLane): MessageLane
}

/** Takes ownership of the port, whose other end is the frame's. */
export function createWorkerMemory(port: MessagePort): WorkerMemory {
  const post = port.postMessage.bind(port) as (message: FromWorker) => void
  const areas = create(null) as Record<number, SharedArrayBuffer | undefined>
  const handlers: (() => void)[] = []
  let lastNumber = 0
  port.addEventListener('message', (event) => {
    const given = (dataGetter === undefined ? event.data : apply(dataGetter, event, [])) as Given
    areas[given[0]] = given[1]
    for (let i = 0; i < handlers.length; i++) handlers[i]?.()
  })
  port.start()

  function keep(item: unknown): number {
    if (Shared === undefined || !(item instanceof Bytes) || item.byteLength < SHARED_FROM_BYTES) return 0
    const area = new Shared(item.byteLength)
    apply(set, new Bytes(area), [item])
    post([++lastNumber, area])
    return lastNumber
  }

  /** Whether all that the message stands for is here, and now in it. */
  function isWhole(message: unknown): boolean {
    if (!isArray(message)) return true
    for (let i = 1; i < message.length; i++) {
      const ticket: unknown = message[i]
      if (typeof ticket !== 'number') continue
      const area = areas[ticket]
      if (area === undefined) return false
      delete areas[ticket]
      const bytes = new Bytes(lengthGetter === undefined ? 0 : (apply(lengthGetter, area, []) as number))
      apply(set, bytes, [new Bytes(area)])
      message[i] = bytes
    }
    return true
  }

  return {
    lane: ({ post: postWhole, listen, close }) => ({
      post(message, moved) {
        let kept: number[] | undefined
        if (isArray(message))
          for (let i = 1; i < message.length; i++) {
            const number = keep(message[i])
            if (number === 0) continue
            kept ??= []
            kept[kept.length] = i
            kept[kept.length] = number
          }
        if (kept !== undefined) (message as unknown[])[(message as unknown[]).length] = kept
        postWhole(message, moved)
      },
      listen(handler) {
        let held: unknown[] = []
        const goOn = (): void => {
          const waiting = held
          held = []
          for (let i = 0; i < waiting.length; i++) take(waiting[i])
        }
        const take = (data: unknown): void => {
          if (held.length === 0 && isWhole(data)) handler(data)
          else held[held.length] = data
        }
        handlers[handlers.length] = goOn
        listen(take)
      },
      close,
    }),
  }
}
