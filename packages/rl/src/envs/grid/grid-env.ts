/**
 * A grid world as an environment. State: the cell. Observation: one-hot over the cells. Chance is drawn as Gymnasium
 * draws it, one double a reset and a step, so a seed gives the same walk.
 */
import type { UniformSource } from '../../random/random.ts'
import { BaseEnv } from '../base-env.ts'
import type { GridWorld } from './grid-worlds.ts'

export class GridEnv extends BaseEnv {
  readonly world: GridWorld
  #isTerminal = false

  constructor(world: GridWorld) {
    super(world.spec)
    this.world = world
    this.state[0] = world.table.start
  }

  override setState(state: ArrayLike<number>, elapsedSteps = 0): void {
    const cell = state[0]
    if (cell === undefined || !Number.isInteger(cell) || cell < 0 || cell >= this.world.table.states) {
      throw new RangeError(`${this.spec.id}: no cell ${cell}`)
    }
    this.#isTerminal = false
    super.setState(state, elapsedSteps)
  }

  protected override drawStart(source: UniformSource): void {
    source.nextDouble()
    this.state[0] = this.world.table.start
    this.#isTerminal = false
  }

  protected override advance(action: number): number {
    const { actions, outcomes } = this.world.table
    if (!Number.isInteger(action) || action < 0 || action >= actions) {
      throw new RangeError(`${this.spec.id}: action must be 0 .. ${actions - 1}, got ${action}`)
    }
    const possible = outcomes[this.state[0]! * actions + action]!
    const draw = this.source.nextDouble()
    let sum = 0
    const found = possible.find(({ probability }) => (sum += probability) > draw) ?? possible[possible.length - 1]!
    this.state[0] = found.next
    this.#isTerminal = found.isTerminal
    return found.reward
  }

  protected override isTerminal(): boolean {
    return this.#isTerminal
  }

  protected override observe(): void {
    this.obs.fill(0)
    this.obs[this.state[0]!] = 1
  }
}
