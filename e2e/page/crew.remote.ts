// Users of @shoal/util in tasks and actors of several tabs.
import { actor, context, get, remote } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'
import { progress, ProgressBar, Queue } from '@shoal/util'
import type { QueueHandle } from '@shoal/util'

export interface Answer {
  readonly value: number
  readonly nodeId: string
}

function answer(value: number): Answer {
  return { value, nodeId: context().nodeId }
}

export const square = remote(async (n: number) => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  return answer(n * n)
})

export const Squarer = actor(
  class {
    of(n: number): Answer {
      return answer(n * n)
    }
  },
)

export const produce = remote(async (handle: QueueHandle, from: number, count: number) => {
  const queue = new Queue<Answer>({ actor: handle })
  for (let n = from; n < from + count; n += 1) await queue.put(answer(n))
})

export const consume = remote(async (handle: QueueHandle, count: number) => {
  const queue = new Queue<Answer>({ actor: handle })
  const items: Answer[] = []
  for (let n = 0; n < count; n += 1) items.push(await queue.get())
  return items
})

class GateState {
  #open: () => void = () => undefined
  readonly #isOpen = new Promise<void>((resolve) => (this.#open = resolve))
  pass(): Promise<void> {
    return this.#isOpen
  }
  open(): void {
    this.#open()
  }
}

export const Gate = actor(GateState, { maxConcurrency: 100, numCpus: 0 })

/** Counts to the half, waits for the gate, and counts on. */
export const countThrough = remote(async (gate: ActorHandle<GateState>, name: string, total: number) => {
  using bar = new ProgressBar({ description: name, total })
  bar.update(total / 2)
  await get(gate.pass.remote())
  for await (const _ of progress(Array.from({ length: total / 2 }), { description: `${name} again` })) bar.update()
  return context().nodeId
})

/** Counts for a while without an await of its own: only a `for await` lets anybody see it. */
export const countBusily = remote(async (ms: number) => {
  const end = performance.now() + ms
  let steps = 0
  for await (const _ of progress(forSo(end), { description: 'busy' })) steps += 1
  return steps
})

function* forSo(end: number): Generator<number, void, undefined> {
  for (let n = 0; performance.now() < end; n += 1) yield n
}
