// The actor that the long run makes by the thousand, and the tasks that call it from other tabs.
import { actor, exitActor, get, kill, remote } from '@shoal/sdk'
import type { ActorHandle, ObjectRef } from '@shoal/sdk'
import type { Answer, Told } from './oracle.ts'

/** Another one each time that the constructor runs. `Math.random` would not do: it is seeded, and a restart begins anew. */
function newSerial(): string {
  return [...crypto.getRandomValues(new Uint32Array(2))].join('-')
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Counts what it executes, and remembers it. */
class ProbeState {
  readonly #serial = newSerial()
  readonly #executed: number[] = []

  /** What was executed so far, in order. Counts as nothing. */
  look(): { readonly serial: string; readonly executed: readonly number[] } {
    return { serial: this.#serial, executed: this.#executed }
  }

  add(call: number): Answer {
    return { serial: this.#serial, count: this.#executed.push(call), call }
  }

  async slowly(call: number, ms: number): Promise<Answer> {
    const answer = this.add(call)
    await pause(ms)
    return answer
  }

  /** Its argument is a ref when it is called. */
  weigh(call: number, bytes: Uint8Array): Answer {
    return { ...this.add(call), bytes: bytes.length }
  }

  large(call: number, bytes: number): Answer {
    return { ...this.add(call), payload: new Uint8Array(bytes).fill(call % 251) }
  }

  fail(call: number): never {
    this.add(call)
    throw new RangeError('it was asked to fail')
  }

  *stream(call: number, items: number): Generator<Answer, void, undefined> {
    const answer = this.add(call)
    for (let index = 0; index < items; index++) yield { ...answer, index }
  }

  async *trickle(call: number, items: number, everyMs: number): AsyncGenerator<Answer, void, undefined> {
    const answer = this.add(call)
    for (let index = 0; index < items; index++) {
      await pause(everyMs)
      yield { ...answer, index }
    }
  }

  /** Calls another actor, and tells what came of each call. */
  async relay(call: number, target: ProbeHandle, calls: readonly number[]): Promise<Answer & { told: Told[] }> {
    const answer = this.add(call)
    return { ...answer, told: await callAll(target, calls) }
  }

  /** Ends the thread that it runs in. An error that a handler of errors throws is nobody's to handle. */
  async crash(call: number): Promise<never> {
    this.add(call)
    addEventListener('error', () => {
      throw new Error('it was asked to crash')
    })
    setTimeout(() => {
      throw new Error('this one is handled')
    })
    return new Promise(() => undefined)
  }

  leave(call: number): never {
    this.add(call)
    return exitActor()
  }
}

export const Probe = actor(ProbeState)
export type ProbeHandle = ActorHandle<ProbeState>

/** All at once, and then the handle is let go: a worker's is else let go when its garbage is collected. */
async function callAll(handle: ProbeHandle, calls: readonly number[]): Promise<Told[]> {
  using target = handle
  const refs = calls.map((call) => target.add.remote(call))
  return Promise.all(refs.map((ref, i) => tell(ref, calls[i] ?? -1)))
}

async function tell(ref: ObjectRef<Answer>, call: number): Promise<Told> {
  try {
    return { call, answer: await get(ref) }
  } catch (error) {
    return { call, error: (error as Error).name, message: (error as Error).message }
  } finally {
    ref.release()
  }
}

export const callFrom = remote((handle: ProbeHandle, calls: readonly number[]): Promise<Told[]> =>
  callAll(handle, calls),
)

export const killFrom = remote((handle: ProbeHandle, noRestart: boolean): void => {
  using target = handle
  kill(target, { noRestart })
})

export const makeBytes = remote((length: number): Uint8Array => new Uint8Array(length))
