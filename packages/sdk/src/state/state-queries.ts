import { GetTimeoutError, parseObjectId } from '@shoal/protocol'
import type { StateKind, StateQuery } from '@shoal/protocol'
import { toQuestion } from './state-question.ts'
import type { CheckedQuestion } from './state-question.ts'
import type { StateApi, StateId, StateOptions, StateResult, StateTimeout } from './state-types.ts'

/** The state API's functions over one node, which asks the room: what they are given is checked here. */
export abstract class StateQueries implements StateApi {
  abstract readonly nodeId: string

  readonly listTasks = this.#list('tasks') as StateApi['listTasks']
  readonly listActors = this.#list('actors') as StateApi['listActors']
  readonly listObjects = this.#list('objects') as StateApi['listObjects']
  readonly listNodes = this.#list('nodes') as StateApi['listNodes']
  readonly listWorkers = this.#list('workers') as StateApi['listWorkers']
  readonly summarizeTasks = this.#list('summary') as StateApi['summarizeTasks']
  readonly getTaskState = this.#one('tasks') as StateApi['getTaskState']
  readonly getActorState = this.#one('actors') as StateApi['getActorState']
  readonly getObjectState = this.#one('objects') as StateApi['getObjectState']

  /** The node gives rows in the shape that apps see. */
  protected abstract askState(question: CheckedQuestion): Promise<StateResult<object>>

  #list(kind: StateKind) {
    return async (options?: StateOptions): Promise<StateResult<object>> => this.askState(toQuestion(kind, options))
  }

  #one(kind: StateKind) {
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
