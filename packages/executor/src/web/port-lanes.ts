import type { WorkerInit } from '../worker-host.ts'

/** One of several two-way streams of messages over one port, or the port itself. */
export interface MessageLane {
  post(message: unknown, moved: Transferable[]): void
  /** Once. What cannot be read here comes as undefined. */
  listen(handler: (data: unknown) => void): void
  close(): void
}

/** The lane of a runner that the other side is told of: by how its thread began, or by its `WorkerInit`. */
export type PortLanes = (number: number) => MessageLane

export interface LaneEvents {
  /** The other side has told of another runner. */
  onOpen?(number: number, init: WorkerInit): void
  /** It has closed one. */
  onClose?(number: number): void
}

export const FIRST_LANE = 0

// User code shares the sandbox worker's realm and may replace what prototypes hold: to be handed the port, an event's
// target, by our own call. So all that touches a port is taken when this module is evaluated, before any user code, and
// nothing here calls a method of what user code can reach.
const apply = Reflect.apply
const isArray = Array.isArray
const later = queueMicrotask.bind(globalThis)
const dataGetter =
  typeof MessageEvent === 'undefined' ? undefined : Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data')?.get
const dataOf = (event: MessageEvent): unknown =>
  dataGetter === undefined ? (event.data as unknown) : (apply(dataGetter, event, []) as unknown)

/** A port as a lane of its own. Takes ownership of it. What came before `listen` waits in the port. */
export function portLane(port: MessagePort): MessageLane {
  const post = port.postMessage.bind(port) as MessageLane['post']
  const close = port.close.bind(port)
  const start = port.start.bind(port)
  const listen = port.addEventListener.bind(port)
  return {
    post,
    listen(handler) {
      listen('message', (event) => handler(dataOf(event)))
      listen('messageerror', () => handler(undefined))
      start()
    },
    close,
  }
}

/**
 * Lanes over one port, since a port of its own for each of a thousand runners costs a millisecond each to hand over. The
 * first runner's messages go as they are. Those of others go together, once what runs now is over, as one list of numbers,
 * each with its message behind it: a runner's first is its `WorkerInit`, and its last is nothing. Takes ownership of the
 * port; what comes for a lane that nobody listens to is dropped.
 */
export function createPortLanes(port: MessagePort, events: LaneEvents = {}): PortLanes {
  const whole = portLane(port)
  const handlers = Object.create(null) as Record<number, ((data: unknown) => void) | undefined>
  let waiting: unknown[] = []
  let moving: Transferable[] = []
  const send = (number: number, message: unknown, moved: Transferable[]): void => {
    if (waiting.length === 0)
      later(() => {
        const [messages, buffers] = [waiting, moving]
        waiting = []
        moving = []
        whole.post(messages, buffers)
      })
    waiting[waiting.length] = number
    waiting[waiting.length] = message
    for (let i = 0; i < moved.length; i++) moving[moving.length] = moved[i] as Transferable
  }
  function onMessage(data: unknown): void {
    if (data === undefined) for (const number in handlers) handlers[number]?.(data)
    else if (!isArray(data) || typeof data[0] !== 'number') handlers[FIRST_LANE]?.(data)
    else for (let i = 0; i < data.length; i += 2) onLaneMessage(data[i] as number, data[i + 1])
  }
  function onLaneMessage(number: number, message: unknown): void {
    if (message === undefined) {
      delete handlers[number]
      events.onClose?.(number)
    } else if (handlers[number]) handlers[number](message)
    // Nothing comes for a lane that this side was told is closed.
    else events.onOpen?.(number, message as WorkerInit)
  }
  return (number) => ({
    post: number === FIRST_LANE ? whole.post : (message, moved) => send(number, message, moved),
    listen(handler) {
      handlers[number] = handler
      if (number === FIRST_LANE) whole.listen(onMessage)
    },
    close() {
      delete handlers[number]
      send(number, undefined, [])
    },
  })
}
