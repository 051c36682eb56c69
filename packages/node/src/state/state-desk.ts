import type { NodeId, NodeMessage } from '@shoal/protocol'
import type { createStateService, StatePorts } from './create-state-service.ts'
import type { StateRows } from './merge-answers.ts'
import type { StateQuestion, StateService } from './state-service.ts'

/** What answers questions, where it is loaded from. */
export interface StateModule {
  readonly createStateService: typeof createStateService
}

export interface StateDeskOptions {
  readonly ports: StatePorts
  /** May fail: the server that the page came from may be gone. */
  load(): Promise<StateModule>
}

type StateMessage = NodeMessage & { readonly type: 'state.query' | 'state.reply' }

/** Questions of peers that wait until it is loaded; those past it are told to come again. */
const MOST_EARLY = 100

/**
 * Where questions about state are handed in. What answers them is loaded with the first one, since most tabs are never
 * asked. States: unasked -> loading -> open -> closed; loading -> unasked when that fails, and the next question tries again.
 */
export class StateDesk {
  readonly #options: StateDeskOptions
  #service: StateService | undefined
  #loading: Promise<StateService> | undefined
  #early: (readonly [from: NodeId, message: StateMessage])[] = []
  #isClosed = false

  constructor(options: StateDeskOptions) {
    this.#options = options
  }

  get openCount(): number {
    return this.#service?.openCount ?? 0
  }

  /** @throws Error when what answers cannot be loaded. */
  async ask(question: StateQuestion): Promise<StateRows> {
    return (await this.#load()).ask(question)
  }

  onMessage(from: NodeId, message: StateMessage): void {
    if (this.#service !== undefined) {
      handle(this.#service, from, message)
      return
    }
    // Nothing was asked here yet.
    if (message.type === 'state.reply' || this.#isClosed) return
    if (this.#early.length >= MOST_EARLY) {
      this.#refuse(from, message)
      return
    }
    this.#early.push([from, message])
    this.#load().catch(() => {
      for (const [node, each] of this.#early.splice(0)) this.#refuse(node, each)
    })
  }

  peerGone(node: NodeId): void {
    this.#early = this.#early.filter(([from]) => from !== node)
    this.#service?.peerGone(node)
  }

  close(): void {
    this.#isClosed = true
    this.#early = []
    this.#service?.close()
  }

  #load(): Promise<StateService> {
    this.#loading ??= this.#options.load().then(
      ({ createStateService: create }) => {
        const service = create(this.#options.ports)
        this.#service = service
        for (const [from, message] of this.#early.splice(0)) handle(service, from, message)
        return service
      },
      (error: unknown) => {
        this.#loading = undefined
        throw error
      },
    )
    return this.#loading
  }

  #refuse(to: NodeId, { query }: StateMessage): void {
    const nothing = { total: 0, matched: 0, forgotten: 0, unseen: 0 }
    this.#options.ports.send(to, { type: 'state.reply', query, ...nothing, answer: { type: 'busy' } })
  }
}

function handle(service: StateService, from: NodeId, message: StateMessage): void {
  if (message.type === 'state.query') service.onQuery(from, message)
  else service.onReply(from, message)
}
