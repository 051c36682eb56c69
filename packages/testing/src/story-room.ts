import type { NodeGuards } from '@shoal/node'
import { createSimNode } from './sim-node.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

/** A driver that runs nothing itself and helpers, each with a resource of its own name so that tasks can be sent there, and
 * `helper` for those that may go to any of them, `other` for any but a. */
export class StoryRoom {
  readonly world: SimWorld
  readonly runs: string[] = []
  readonly tabs = new Map<string, SimNode>()

  readonly #guards: Partial<NodeGuards>
  readonly #special: (name: string) => SimNodeOptions

  /** @param special - what a tab has of its own */
  constructor(seed: number, guards: Partial<NodeGuards> = {}, special: (name: string) => SimNodeOptions = () => ({})) {
    this.world = new SimWorld({ seed })
    this.#guards = guards
    this.#special = special
  }

  async open(helpers: readonly string[], graceMs = 3_000): Promise<void> {
    await this.add('driver', graceMs)
    for (const name of helpers) await this.add(name, graceMs)
    const isLinked = (): boolean =>
      [...this.tabs.values()].every(
        ({ node }) => node.status().members.filter(({ card }) => card !== undefined).length === helpers.length,
      )
    if (!(await this.world.clock.runUntil(isLinked, 30_000))) throw new Error('the room did not come together')
  }

  async add(name: string, graceMs: number): Promise<SimNode> {
    const { world } = this
    const tab: SimNode = await createSimNode(world.ports(await world.identity(name), 1), {
      slots: 4,
      resources: { [name]: 100, ...kindOf(name) },
      graceMs,
      guards: this.#guards,
      ...this.#special(name),
      ...(name === 'driver' && { ownerKeyPair: world.ownerKeyPair }),
      globals: { simRan: (label: string) => this.runs.push(`${label} at ${name}`) },
      onOver: () => {
        world.clock.after(50, () => {
          if (this.tabs.get(name) === tab) void tab.enterAgain(world.nextSession(tab.ports))
        })
      },
    })
    this.tabs.set(name, tab)
    return tab
  }

  tab(name: string): SimNode {
    const tab = this.tabs.get(name)
    if (tab === undefined) throw new Error(`no tab ${name}`)
    return tab
  }

  /** The process is gone without a word. */
  kill(name: string): void {
    this.world.kill(this.tab(name).ports)
    this.tabs.delete(name)
  }

  settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.world.clock.settle(promise, limitMs)
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.run(this.world.clock.now() + ms)
  }

  /** Everybody is asked to let go; what is left then is a leak. */
  async left(): Promise<string[]> {
    return leftIn([...this.tabs.values()], (ms) => this.pass(ms))
  }

  close(): void {
    for (const tab of this.tabs.values()) tab.close('left')
  }
}

/** Lets the collectors take all that nobody holds, and says what the tabs keep then. */
export async function leftIn(tabs: readonly SimNode[], pass: (ms: number) => Promise<void>): Promise<string[]> {
  for (let round = 0; round < 3; round++) {
    for (const { collector, workers } of tabs) {
      collector.collect()
      for (const worker of workers.workers) worker.collector.collect()
    }
    await pass(6_000)
  }
  return tabs.flatMap((tab) =>
    Object.entries(tab.node.holdings()).flatMap(([name, count]) =>
      count === 0 || name === 'workers' || name === 'actors' ? [] : [`${tab.ports.name}: ${count} ${name}`],
    ),
  )
}

function kindOf(name: string): Record<string, number> {
  if (name === 'driver') return {}
  return name === 'a' ? { helper: 100 } : { helper: 100, other: 100 }
}

/** Options of what shall run in one tab. */
export const at = (name: string): { resources: Record<string, number>; numCpus: number } => ({
  resources: { [name]: 1 },
  numCpus: 0,
})
