import { GetTimeoutError, parseObjectId, UNITS_OF_ONE } from '@shoal/protocol'
import type { FilteredKind, StateQuery } from '@shoal/protocol'
import { toQuestion } from './state-question.ts'
import type { CheckedQuestion } from './state-question.ts'
import type { Amounts, NodeState, StateApi, StateId, StateOptions, StateResult, StateTimeout } from './state-types.ts'

/** The state API's functions over one node, which asks the room: what they are given is checked here. */
export abstract class StateQueries implements StateApi {
  abstract readonly nodeId: string

  readonly listTasks = this.#list('tasks') as StateApi['listTasks']
  readonly listActors = this.#list('actors') as StateApi['listActors']
  readonly listObjects = this.#list('objects') as StateApi['listObjects']
  readonly listNodes = this.#list('nodes') as StateApi['listNodes']
  readonly listWorkers = this.#list('workers') as StateApi['listWorkers']
  readonly listPlacementGroups = this.#list('placementGroups') as StateApi['listPlacementGroups']
  readonly summarizeTasks = this.#list('summary') as StateApi['summarizeTasks']
  readonly getTaskState = this.#one('tasks') as StateApi['getTaskState']
  readonly getActorState = this.#one('actors') as StateApi['getActorState']
  readonly getObjectState = this.#one('objects') as StateApi['getObjectState']

  async nodes(options?: StateTimeout): Promise<readonly NodeState[]> {
    const { rows } = await this.listNodes({ ...options, limit: MOST_NODES })
    return rows
  }

  async clusterResources(options?: StateTimeout): Promise<Amounts> {
    return sumOf((await this.nodes(options)).filter(isLive), ({ resources }, name) => resources[name] ?? 0)
  }

  async availableResources(options?: StateTimeout): Promise<Amounts> {
    const nodes = (await this.nodes(options)).filter(isLive)
    return sumOf(nodes, ({ resources, used }, name) => (resources[name] ?? 0) - (used[name] ?? 0))
  }

  /** The node gives rows in the shape that apps see. */
  protected abstract askState(question: CheckedQuestion): Promise<StateResult<object>>

  #list(kind: FilteredKind) {
    return async (options?: StateOptions): Promise<StateResult<object>> => this.askState(toQuestion(kind, options))
  }

  #one(kind: FilteredKind) {
    return async (of: StateId, options?: StateTimeout): Promise<object | undefined> => {
      const asked = toQuestion(kind, { ...options, detail: true, limit: 1 }, this.#idOf(of))
      const { rows, missing } = await this.askState(asked)
      // Whoever is silent may be the one that knows.
      if (rows.length > 0 || missing.length === 0) return rows[0]
      const message = `${missing.length} of the room's tabs did not answer within ${asked.timeoutMs} ms, and nobody else knows of it`
      throw new GetTimeoutError('get-timeout', message)
    }
  }

  #idOf(of: StateId): NonNullable<StateQuery['id']> {
    const text = String(typeof of === 'string' ? of : (of as { readonly id?: unknown } | undefined)?.id)
    try {
      // What this page made says so, instead of the id of a node that may not be up yet.
      return parseObjectId(text.replace(/^this-tab\//, `${this.nodeId}/`))
    } catch {
      throw new TypeError(`${text} is no ref and no id: an id is 32 hex digits, a stroke and a number`)
    }
  }
}

/** A question's most. */
const MOST_NODES = 10_000

function isLive({ state }: NodeState): boolean {
  return state === 'ALIVE'
}

/** By name, in the ten-thousandths in which resources are counted; what comes to nothing, or below it for a moment, is left out. */
function sumOf(nodes: readonly NodeState[], amount: (node: NodeState, name: string) => number): Amounts {
  const names = new Set(nodes.flatMap(({ resources }) => Object.keys(resources)))
  const sums = [...names].map((name): readonly [string, number] => {
    const units = nodes.reduce((sum, node) => sum + Math.round(amount(node, name) * UNITS_OF_ONE), 0)
    return [name, units / UNITS_OF_ONE]
  })
  return Object.fromEntries(sums.filter(([, sum]) => sum > 0))
}
