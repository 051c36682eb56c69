import type { Log } from '@shoal/base'
import { createSimNode } from './sim-node.ts'
import type { SimNode, SimNodeOptions } from './sim-node.ts'
import { SimWorld } from './sim-world.ts'

/** Tabs of one simulated room, each found by its name: what rooms that tell a story have in common. */
export class NamedTabs {
  readonly world: SimWorld
  readonly tabs = new Map<string, SimNode>()

  constructor(seed: number) {
    this.world = new SimWorld({ seed })
  }

  /** A tab enters; as a page does, it enters again when its room has given it up. */
  async sitDown(name: string, options: SimNodeOptions, log?: Log): Promise<SimNode> {
    const { world } = this
    const tab: SimNode = await createSimNode(world.ports(await world.identity(name), 1, log), {
      ...options,
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
}
