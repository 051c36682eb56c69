import { recordBytes } from '@shoal/control-store'
import { LIMITS } from '@shoal/protocol'
import type { NodeId, ObjectId, ReconstructionFailure } from '@shoal/protocol'
import { needs, returns, taskBody } from './own-task.ts'
import type { OwnTask } from './own-task.ts'
import { PinnedCopies } from './pinned-copies.ts'
import type { PinnedCopiesOptions } from './pinned-copies.ts'

/** How much a ledger keeps of how its results were made: so many tasks on end, and so many bytes of all their specs. */
export interface LineageLimits {
  readonly depth: number
  readonly bytes: number
}

export const LINEAGE: LineageLimits = { depth: 1_000, bytes: 16 * 1024 * 1024 }

export interface LineageOptions extends Pick<PinnedCopiesOptions, 'self' | 'owner' | 'objects' | 'ask'> {
  readonly limits: LineageLimits
  /** False only where the simulation shows what it prevents that recipes count what they need (X1). */
  readonly counts: boolean
}

interface Recipe {
  readonly task: OwnTask
  /** Those of its results that somebody refers to. */
  readonly kept: Set<number>
  /** Where the results were made, and stay until they are freed. */
  readonly maker: NodeId | undefined
  readonly bytes: number
  /** Recipes that have to be used one after another, at most, when nothing is left but what no task makes. */
  level: number
  /** Its results are being copied, and then it goes. */
  isEnding: boolean
}

/** What a spec takes beside its arguments, about. */
const SPEC_BYTES = 256

/**
 * How the results of one ledger's tasks are made again. It keeps specs, not values: what only recipes need, and a recipe can
 * make, is in no tab's memory. What grows too deep, or too much, is cut: the result is pinned in two tabs, and then its
 * recipe goes with all that it alone needs. See docs/decisions/027. A recipe's states:
 *
 *   kept --its result is lost and needed--> taken, its task runs again --> kept, or spent
 *   kept --too deep--> ending --two tabs have the result--> gone, the result is a root
 *   ending --the result is lost before that--> kept
 *   kept, ending, root --nobody refers to its results--> gone
 *
 * It knows neither when a task runs nor who asks for its results.
 */
export class Lineage {
  readonly #options: LineageOptions
  /** By each result that is kept. */
  readonly #recipes = new Map<number, Recipe>()
  /** Results whose tasks may not run again, and why. */
  readonly #spent = new Map<number, ReconstructionFailure>()
  readonly #copies: PinnedCopies
  #bytes = 0
  #endingBytes = 0
  /** Tasks whose recipes went: what they needed is let go one after another, not one within the other. */
  #gone: OwnTask[] = []

  constructor(options: LineageOptions) {
    this.#options = options
    this.#copies = new PinnedCopies({
      ...options,
      safe: (number) => this.#endIfSafe(this.#recipes.get(number)),
      lost: (number) => this.#notEnding(this.#recipes.get(number)),
    })
  }

  get count(): number {
    return this.#recipes.size
  }

  taskOf(number: number): OwnTask | undefined {
    return this.#recipes.get(number)?.task
  }

  whyNot(number: number): ReconstructionFailure | undefined {
    return this.#spent.get(number)
  }

  /**
   * A task is done whose results are elsewhere. @returns false when there is nothing to keep: what it needs, which is counted
   * once for it, is its caller's to let go
   */
  keep(task: OwnTask, maker: NodeId | undefined): boolean {
    const { objects, counts } = this.#options
    const kept = returns(task).filter((number) => objects.isReferenced(this.#object(number)))
    if (kept.length === 0) return false
    if (task.retriesLeft <= 0) {
      const why = task.template.definition.maxRetries === 0 ? 'retries-disabled' : 'max-attempts-exceeded'
      for (const number of kept) this.#spent.set(number, why)
      return false
    }
    const record = { number: task.number, attempt: task.attempt, body: taskBody(task) }
    const bytes = SPEC_BYTES + recordBytes(record)
    const recipe: Recipe = { task, kept: new Set(kept), maker, bytes, level: this.#levelOf(task), isEnding: false }
    for (const number of kept) this.#recipes.set(number, recipe)
    this.#bytes += bytes
    if (counts) objects.forRecipe(needs(task), 1)
    if (this.#isTooMuch(recipe)) this.#end(recipe)
    else this.#giveUpIfIdle(recipe)
    return counts
  }

  /** The task is to run again; what it needs is counted for it still. */
  take(number: number): OwnTask | undefined {
    const recipe = this.#recipes.get(number)
    if (recipe === undefined) return undefined
    const { objects, counts } = this.#options
    const { task } = recipe
    this.#drop(recipe)
    if (counts) objects.forRecipe(needs(task), -1)
    else for (const id of needs(task)) objects.retain(id)
    return task
  }

  /** Nobody refers to the object any more. */
  freed(number: number): void {
    this.#spent.delete(number)
    this.#copies.drop(number)
    const recipe = this.#recipes.get(number)
    if (recipe === undefined) return
    this.#recipes.delete(number)
    recipe.kept.delete(number)
    if (recipe.kept.size === 0) {
      this.#drop(recipe)
      this.#letGo(recipe.task)
    } else if (recipe.isEnding) this.#endIfSafe(recipe)
    else this.#giveUpIfIdle(recipe)
  }

  /** Nothing but recipes needs the object now. */
  idle(number: number): void {
    this.#giveUpIfIdle(this.#recipes.get(number))
  }

  /** A node says that it has a copy of the object. */
  onHeld(number: number, node: NodeId): void {
    this.#copies.onHeld(number, node)
  }

  nodeGone(node: NodeId): void {
    this.#copies.nodeGone(node)
  }

  /** Somebody came, or it has been said anew where everything is: what should be in two tabs and is not may be now. */
  look(): void {
    this.#copies.look()
  }

  /** Another node answers for the ledger: nothing is kept for it here. */
  clear(): void {
    const recipes = new Set(this.#recipes.values())
    this.#recipes.clear()
    this.#spent.clear()
    this.#copies.clear()
    this.#bytes = this.#endingBytes = 0
    for (const { task } of recipes) this.#letGo(task)
  }

  /** Its values are dropped everywhere: all of them, since they are made again together. */
  #giveUpIfIdle(recipe: Recipe | undefined): void {
    // What is being copied is on its way to be what others are made of.
    if (recipe === undefined || recipe.isEnding || !this.#options.counts) return
    const { objects } = this.#options
    const ids = [...recipe.kept].map((number) => this.#object(number))
    if (ids.every((id) => objects.isOnlyForRecipes(id))) for (const id of ids) objects.giveUp(id)
  }

  #isTooMuch(recipe: Recipe): boolean {
    const { depth, bytes } = this.#options.limits
    if (this.#bytes - this.#endingBytes > bytes) return true
    if (recipe.level < depth) return false
    this.#countAgain(recipe)
    return recipe.level >= depth
  }

  #levelOf(task: OwnTask): number {
    return this.#before(task).reduce((most, { level }) => Math.max(most, level), 0) + 1
  }

  /** The recipes that one takes up where it ends. */
  #before(task: OwnTask): Recipe[] {
    return needs(task).flatMap(({ owner, number }) => {
      const recipe = owner === this.#options.owner ? this.#recipes.get(number) : undefined
      return recipe === undefined || recipe.isEnding ? [] : [recipe]
    })
  }

  /** Recipes were cut since the levels above them were counted. They may be many: no call within the other. */
  #countAgain(last: Recipe): void {
    const counted = new Set<Recipe>()
    const open = [last]
    for (let recipe = open.at(-1); recipe !== undefined; recipe = open.at(-1)) {
      const before = counted.has(recipe) ? [] : this.#before(recipe.task).filter((each) => !counted.has(each))
      if (before.length > 0) {
        open.push(...before)
        continue
      }
      open.pop()
      recipe.level = this.#levelOf(recipe.task)
      counted.add(recipe)
    }
  }

  /** From here on the levels count from its results, so that those above are not cut as well meanwhile. */
  #end(recipe: Recipe): void {
    const { self, objects } = this.#options
    recipe.isEnding = true
    this.#endingBytes += recipe.bytes
    for (const number of [...recipe.kept]) {
      const holders = objects.holdersOf(this.#object(number))
      if (!this.#isSmall(number))
        this.#copies.want(
          number,
          holders.filter((node) => node === self || node === recipe.maker),
        )
    }
    this.#endIfSafe(recipe)
  }

  #endIfSafe(recipe: Recipe | undefined): void {
    if (recipe?.isEnding !== true) return
    const kept = [...recipe.kept]
    if (!kept.every((number) => this.#isSmall(number) || this.#copies.isSafe(number))) return
    for (const number of kept) this.#recipes.delete(number)
    recipe.kept.clear()
    this.#drop(recipe)
    this.#letGo(recipe.task)
    for (const number of kept) this.#options.objects.toldAnew(this.#object(number))
  }

  /** The results were lost before there were two copies. */
  #notEnding(recipe: Recipe | undefined): void {
    if (recipe?.isEnding !== true) return
    recipe.isEnding = false
    this.#endingBytes -= recipe.bytes
    for (const number of recipe.kept) this.#copies.drop(number)
    this.#countAgain(recipe)
    this.#giveUpIfIdle(recipe)
  }

  /** It travels with its record, and lies with whoever answers. */
  #isSmall(number: number): boolean {
    const state = this.#options.objects.state(this.#object(number))
    return state.kind === 'here' && state.bytes <= LIMITS.inlineValueBytes
  }

  #drop(recipe: Recipe): void {
    for (const number of recipe.kept) {
      this.#recipes.delete(number)
      this.#copies.drop(number)
    }
    this.#bytes -= recipe.bytes
    if (recipe.isEnding) this.#endingBytes -= recipe.bytes
  }

  #letGo(task: OwnTask): void {
    if (!this.#options.counts || this.#gone.push(task) > 1) return
    const { objects } = this.#options
    // It grows: what is let go may be all that another recipe was kept for.
    for (const each of this.#gone) {
      const ids = needs(each)
      objects.forRecipe(ids, -1)
      for (const id of ids) objects.release(id)
    }
    this.#gone = []
  }

  #object(number: number): ObjectId {
    return { owner: this.#options.owner, number }
  }
}
