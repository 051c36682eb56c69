import { STATE_FUNCTIONS, StateQueries } from '@shoal/core-worker'
import type { CheckedQuestion, CoreWorker, StateApi, StateResult } from '@shoal/core-worker'

/** The state API where tasks run: the node of their tab asks the room for them. */
class WorkerState extends StateQueries {
  readonly nodeId: string
  readonly #core: CoreWorker

  constructor(nodeId: string, core: CoreWorker) {
    super()
    this.nodeId = nodeId
    this.#core = core
  }

  protected override async askState(question: CheckedQuestion): Promise<StateResult<object>> {
    return this.#core.askState(question)
  }
}

/** Its functions, each on its own. */
export function createWorkerState(nodeId: string, core: CoreWorker): StateApi {
  const state: StateApi = new WorkerState(nodeId, core)
  const bound = STATE_FUNCTIONS.map((name) => [name, (state[name] as (...args: unknown[]) => unknown).bind(state)])
  return Object.fromEntries(bound) as unknown as StateApi
}
