import { must } from '@shoal/base'
import type { ObjectRef, TaskOptions } from '@shoal/core-worker'
import type { NodeOptions } from '@shoal/node'
import { createSimNode } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'
import { leftIn } from './story-room.ts'

declare const simRan: (label: string) => void

/** More than goes to the owner with the outcome: it stays where it was made. */
export const LARGE = 110_000

export interface LineageRoomOptions {
  readonly seed: number
  readonly helpers?: readonly string[]
  readonly lineage?: NodeOptions['lineage']
  readonly guards?: NodeOptions['guards']
}

export type Placing = Pick<TaskOptions, 'resources' | 'numCpus' | 'maxRetries'>

export interface ChainOptions {
  readonly steps: number
  /** Steps whose refs are not let go. */
  readonly held?: readonly number[]
  /** Of a step: where it runs, and how often. Default: anywhere, `maxRetries` 3. */
  options?(step: number): Placing
  /** What each step takes beside its former: a ref, or bytes that are part of its recipe. */
  beside?(step: number): ObjectRef<Uint8Array> | Uint8Array | undefined
}

/** A driver that runs nothing, and helpers in whose tabs all results are. */
export class LineageRoom {
  readonly world: SimWorld
  readonly tabs = new Map<string, SimNode>()
  /** Labels of what ran, with where, in order. */
  readonly runs: { readonly label: string; readonly at: string }[] = []
  /** The most recipes that the driver ever kept, and the most large values that were ever in all tabs. */
  readonly most = { recipes: 0, large: 0 }
  readonly helpers: readonly string[]
  readonly #options: LineageRoomOptions
  #lives = 0

  constructor(options: LineageRoomOptions) {
    this.#options = options
    this.world = new SimWorld({ seed: options.seed })
    this.helpers = options.helpers ?? ['a', 'b', 'c']
  }

  async open(): Promise<void> {
    for (const name of ['driver', ...this.helpers]) await this.#add(name)
    await this.#linked()
  }

  /** One more helper comes. */
  async enter(name: string): Promise<void> {
    await this.#add(name)
    await this.#linked()
  }

  tab(name: string): SimNode {
    return must(this.tabs.get(name))
  }

  get driver(): SimNode {
    return this.tab('driver')
  }

  kill(name: string): void {
    this.world.kill(this.tab(name).ports)
    this.tabs.delete(name)
  }

  /** Each step takes the one before it, whose ref is let go then. @returns the refs that are held, the last one among them */
  async chain({ steps, held = [], options, beside }: ChainOptions): Promise<ObjectRef<Uint8Array>[]> {
    const step = declareStep(this.driver.api)
    const kept: ObjectRef<Uint8Array>[] = []
    let last: ObjectRef<Uint8Array> | undefined
    for (let at = 0; at < steps; at++) {
      const next: ObjectRef<Uint8Array> = step
        .options({ schedulingStrategy: 'SPREAD', ...options?.(at) })
        .remote(last, at, LARGE, beside?.(at))
      await this.settle(this.driver.api.wait([next]))
      if (held.includes(at - 1)) kept.push(must(last))
      else last?.release()
      last = next
      this.#look()
    }
    kept.push(must(last))
    return kept
  }

  /** The number that a step's value begins with: how many there are up to it. */
  async valueOf(ref: ObjectRef<Uint8Array>): Promise<number> {
    const value = await this.settle(this.driver.api.get(ref))
    return value.length === LARGE ? (value[0] ?? 0) + 256 * (value[1] ?? 0) : NaN
  }

  /** Where the step ran last. */
  placeOf(step: number | string): string {
    return must(this.runs.findLast(({ label }) => label === String(step))).at
  }

  /** How often each label ran from the `since`th run on. */
  runsSince(since: number): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { label } of this.runs.slice(since)) counts.set(label, (counts.get(label) ?? 0) + 1)
    return counts
  }

  /** How many large values' bytes are in these tabs, by default in all. */
  large(names: Iterable<string> = this.tabs.keys()): number {
    let bytes = 0
    for (const name of names) bytes += this.tab(name).node.holdings().objectBytes
    return Math.floor(bytes / LARGE)
  }

  settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.world.clock.settle(promise, limitMs)
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
    this.#look()
  }

  /** What is left when every ref is gone. */
  async left(): Promise<string[]> {
    return leftIn([...this.tabs.values()], (ms) => this.pass(ms))
  }

  close(): void {
    for (const tab of this.tabs.values()) tab.close('left')
  }

  #look(): void {
    this.most.recipes = Math.max(this.most.recipes, this.driver.node.holdings().recipes)
    this.most.large = Math.max(this.most.large, this.large())
  }

  async #add(name: string): Promise<void> {
    const { world } = this
    const { lineage, guards } = this.#options
    const tab: SimNode = await createSimNode(world.ports(await world.identity(`${name}.${++this.#lives}`), 1), {
      slots: name === 'driver' ? 0 : 2,
      resources: { [name]: 100 },
      device: name,
      ...(name === 'driver' && { ownerKeyPair: world.ownerKeyPair }),
      ...(lineage !== undefined && { lineage }),
      ...(guards !== undefined && { guards }),
      globals: { simRan: (label: string) => this.runs.push({ label, at: name }) },
      onOver: () => {
        world.clock.after(50, () => {
          if (this.tabs.get(name) === tab) void tab.enterAgain(world.nextSession(tab.ports))
        })
      },
    })
    this.tabs.set(name, tab)
  }

  async #linked(): Promise<void> {
    const isLinked = (): boolean =>
      [...this.tabs.values()].every(
        ({ node }) =>
          node.status().members.filter(({ card, state }) => card !== undefined && state === 'connected').length ===
          this.tabs.size - 1,
      )
    if (!(await this.world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
  }
}

/** Runs in that helper's tab and nowhere else. */
export function at(name: string): Placing {
  return { resources: { [name]: 1 }, numCpus: 0 }
}

function declareStep({ remote }: SimNode['api']) {
  return remote((former: Uint8Array | undefined, step: number, bytes: number, _beside: Uint8Array | undefined) => {
    simRan(String(step))
    const count = (former?.[0] ?? 0) + 256 * (former?.[1] ?? 0) + 1
    const value = new Uint8Array(bytes)
    value[0] = count % 256
    value[1] = Math.floor(count / 256)
    return value
  })
}
