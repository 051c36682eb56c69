import { actor, get } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'

class Counter {
  count = 0
  add(n: number): number {
    return (this.count += n)
  }
}

const Counters = actor(Counter)
let first: ActorHandle<Counter> | undefined
let many: readonly ActorHandle<Counter>[] = []

/** Milliseconds of calls to one actor of this tab, one at a time. */
export async function actorCallTimes(count: number): Promise<number[]> {
  first ??= Counters.remote()
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    using ref = first.add.remote(1)
    await get(ref)
    times.push(performance.now() - start)
  }
  return times
}

/** Calls a second of one actor, all made at once and all fetched. */
export async function actorCallsPerSecond(count: number): Promise<number> {
  const counter = (first ??= Counters.remote())
  const before = await get(counter.add.remote(0))
  const start = performance.now()
  const refs = Array.from({ length: count }, () => counter.add.remote(1))
  const values = await get(refs)
  const seconds = (performance.now() - start) / 1000
  for (const ref of refs) ref.release()
  if (values.some((value, i) => value !== before + i + 1)) throw new Error('calls ran out of order')
  return count / seconds
}

/** Seconds until so many actors were made and each has answered a call. */
export async function makeActors(count: number): Promise<number> {
  const start = performance.now()
  many = Array.from({ length: count }, () => Counters.options({ schedulingStrategy: 'SPREAD' }).remote())
  const refs = many.map((handle, i) => handle.add.remote(i))
  const values = await get(refs)
  const seconds = (performance.now() - start) / 1000
  for (const ref of refs) ref.release()
  if (values.some((value, i) => value !== i)) throw new Error('an actor has another one’s state')
  return seconds
}

export function endActors(): void {
  for (const handle of many) handle[Symbol.dispose]()
  many = []
}
