import type { ActorHandle, Api, ObjectRef } from '@shoal/core-worker'
import type { Told } from './actor-oracle.ts'

declare const simBorn: (actor: string) => number
declare const simBegin: (serial: number, caller: string, n: number, added: number) => number
declare const simEnd: (run: number, count: number) => Told
declare const simIssue: (caller: string, label: string, n: number, retries: number) => void
/** Of the run that asks: a task may run more than once. */
declare const simCaller: (name: string) => string
declare const simTold: (caller: string, n: number, value: Told | undefined, error: unknown) => void
/** Whether to crash: only the first time. */
declare const simDies: (caller: string, n: number) => boolean
declare const simSleep: (ms: number) => Promise<void>
declare const simCrash: () => void

/** What an actor is asked, and by whom. */
export interface Counting {
  add(caller: string, n: number, added: number): Told
  slowly(caller: string, n: number, added: number, ms: number): Promise<Told>
  read(caller: string, n: number, refs: readonly ObjectRef<number>[]): Promise<Told>
  ask(caller: string, n: number, other: Handle, label: string, retries: number): Promise<Told>
  fail(caller: string, n: number): Told
  leave(caller: string, n: number): Told
  crash(caller: string, n: number): Told
  items(caller: string, n: number, count: number, ms: number): AsyncGenerator<Told, void>
}
export type Handle = ActorHandle<Counting>

/** A caller that makes several calls of one actor and says what it was told of each. */
interface Plan {
  readonly caller: string
  readonly label: string
  readonly count: number
  readonly ms: number
  readonly retries: number
}

/** Each stands alone, as user code must. */
export function declareActors(api: Api) {
  const { actor, remote } = api
  const Counter = actor({}, ({ get, exitActor }) => {
    return class implements Counting {
      count = 0
      readonly serial: number
      constructor(label: string) {
        this.serial = simBorn(label)
      }
      add(caller: string, n: number, added: number): Told {
        const run = simBegin(this.serial, caller, n, added)
        return simEnd(run, (this.count += added))
      }
      async slowly(caller: string, n: number, added: number, ms: number): Promise<Told> {
        const run = simBegin(this.serial, caller, n, added)
        await simSleep(ms)
        return simEnd(run, (this.count += added))
      }
      /** Reads what another actor or task makes, and cannot end before that has. */
      async read(caller: string, n: number, refs: readonly ObjectRef<number>[]): Promise<Told> {
        const run = simBegin(this.serial, caller, n, 0)
        let told: Told
        try {
          await get(refs)
        } finally {
          told = simEnd(run, this.count)
          for (const ref of refs) ref.release()
        }
        return told
      }
      async ask(caller: string, n: number, other: Handle, label: string, retries: number): Promise<Told> {
        const run = simBegin(this.serial, caller, n, 1)
        const own = `${caller}/${n}.${run}`
        simIssue(own, label, 0, retries)
        try {
          const ref = other.slowly.options({ maxTaskRetries: retries }).remote(own, 0, 1, 50)
          other[Symbol.dispose]()
          simTold(own, 0, await get(ref), undefined)
          ref.release()
        } catch (error) {
          simTold(own, 0, undefined, error)
        }
        return simEnd(run, (this.count += 1))
      }
      fail(caller: string, n: number): Told {
        const run = simBegin(this.serial, caller, n, 1)
        simEnd(run, (this.count += 1))
        throw new RangeError('as asked')
      }
      leave(caller: string, n: number): Told {
        const run = simBegin(this.serial, caller, n, 1)
        simEnd(run, (this.count += 1))
        return exitActor()
      }
      crash(caller: string, n: number): Told {
        const run = simBegin(this.serial, caller, n, 1)
        const told = simEnd(run, (this.count += 1))
        if (simDies(caller, n)) simCrash()
        return told
      }
      async *items(caller: string, n: number, count: number, ms: number): AsyncGenerator<Told, void> {
        const run = simBegin(this.serial, caller, n, 0)
        try {
          for (let i = 0; i < count; i++) {
            yield [this.serial, run, i]
            await simSleep(ms)
          }
        } finally {
          simEnd(run, this.count)
        }
      }
    }
  })
  const make = remote({ Counter }, ({ Counter: Class }, label: string, options: object): readonly Handle[] => [
    Class.options(options).remote(simCaller(label)),
  ])
  /** Of many that want a name at once; nobody else gets the handle. */
  const claim = remote({ Counter }, async ({ Counter: Class, get }, plan: Plan, options: object) => {
    const { label, retries } = plan
    const own = simCaller(plan.caller)
    const handle: Handle = Class.options(options).remote(simCaller(label))
    simIssue(own, label, 0, retries)
    try {
      const ref = handle.add.options({ maxTaskRetries: retries }).remote(own, 0, 1)
      simTold(own, 0, await get(ref), undefined)
      ref.release()
    } catch (error) {
      simTold(own, 0, undefined, error)
    } finally {
      handle[Symbol.dispose]()
    }
  })
  const call = remote({}, async ({ get }, plan: Plan, handles: readonly Handle[]) => {
    const { label, retries } = plan
    const own = simCaller(plan.caller)
    const handle = handles[0] as Handle
    const options = { maxTaskRetries: retries }
    const refs = Array.from({ length: plan.count }, (_, n) => {
      simIssue(own, label, n, retries)
      return n % 3 === 1
        ? handle.slowly.options(options).remote(own, n, 1, plan.ms)
        : handle.add.options(options).remote(own, n, 1)
    })
    handle[Symbol.dispose]()
    for (const [n, ref] of refs.entries()) {
      try {
        simTold(own, n, await get(ref), undefined)
      } catch (error) {
        simTold(own, n, undefined, error)
      }
      ref.release()
    }
  })
  const later = remote(async (ms: number) => {
    await simSleep(ms)
    return ms
  })
  const relay = remote((handles: readonly Handle[]) => handles)
  return { Counter, make, claim, call, later, relay }
}
