import type { ActorHandle, Api, ObjectRef, PlacementGroupApi } from '@shoal/core-worker'

/** One tab's page in a room, as a conformance case sees it: simulated or real, it makes no difference. */
export interface Page {
  readonly api: Api & PlacementGroupApi
  /** Tabs in the room, this one included. */
  readonly tabs: number
  /** Milliseconds of the room's time. */
  now(): number
  /** Lets the room's time pass; only for what must not happen meanwhile. */
  pause(ms: number): Promise<void>
}

/** What a case needs beside a page. */
export interface CaseNeeds {
  /** Slots of the driver's tab; default 1. */
  readonly slots?: number
  /** What the driver's tab has beside CPUs. */
  readonly resources?: Readonly<Record<string, number>>
  /** Only with one tab. */
  readonly isAlone?: boolean
  /** Its code ends its own worker, which only simulated code can: `simCrash()`. */
  readonly crashes?: boolean
  /** Too long or too large for a real browser's share of the suite. */
  readonly isSimulatedOnly?: boolean
  /** It leaves something that lasts as long as the session, by rule: an actor, or what functions were given by name. */
  readonly leaves?: boolean
}

/** Registers a case. Titles begin with the ids of the rules of packages/sdk/SPEC.md that it proves. */
export type DefineCase = (title: string, run: (page: Page) => Promise<void>, needs?: CaseNeeds) => void

/** Orders events without sleeps, as Ray's SignalActor does. Its code ships: it stands alone. */
export class GateState {
  isOpen = false
  open(): void {
    this.isOpen = true
  }
  look(): boolean {
    return this.isOpen
  }
}

export interface Gate {
  readonly handle: ActorHandle<GateState>
  /** A task that gives `value` once the gate is open. */
  behind<T>(value: T): ObjectRef<T>
  open(): Promise<void>
}

/** A gate, closed. */
export function newGate({ api }: Page): Gate {
  const handle = api.actor(GateState).remote()
  const behind = api.remote({}, async ({ get }, gate: ActorHandle<GateState>, value: unknown) => {
    while (!(await get(gate.look.remote()))) await new Promise((resolve) => setTimeout(resolve, 20))
    return value
  })
  return {
    handle,
    behind: <T>(value: T) => behind.options({ name: 'behind' }).remote(handle, value) as ObjectRef<T>,
    open: async () => api.get(handle.open.remote()),
  }
}

/** Counts what tasks do, wherever they run. Its code ships: it stands alone. */
export class TallyState {
  readonly #counts: Record<string, number> = {}
  add(name: string): number {
    return (this.#counts[name] = (this.#counts[name] ?? 0) + 1)
  }
  read(name: string): number {
    return this.#counts[name] ?? 0
  }
}
