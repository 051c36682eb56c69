import type { NodeGuards } from '@shoal/node'
import { NamedTabs } from './named-tabs.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'

/** A driver that runs nothing itself and helpers, each with a resource of its own name so that tasks can be sent there, and
 * `helper` for those that may go to any of them, `other` for any but a. */
export class StoryRoom extends NamedTabs {
  readonly runs: string[] = []

  readonly #guards: Partial<NodeGuards>
  readonly #special: (name: string) => SimNodeOptions

  /** @param special - what a tab has of its own */
  constructor(seed: number, guards: Partial<NodeGuards> = {}, special: (name: string) => SimNodeOptions = () => ({})) {
    super(seed)
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

  add(name: string, graceMs: number): Promise<SimNode> {
    return this.sitDown(name, {
      slots: 4,
      resources: { [name]: 100, ...kindOf(name) },
      graceMs,
      guards: this.#guards,
      ...this.#special(name),
      ...(name === 'driver' && { ownerKeyPair: this.world.ownerKeyPair }),
      globals: { simRan: (label: string) => this.runs.push(`${label} at ${name}`) },
    })
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
