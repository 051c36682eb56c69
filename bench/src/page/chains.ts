// Chains of tasks that take no CPU: each takes the ref of the one before it, so that a chain is one task at a time.
import { currentSession, remote, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'

export interface ChainsOptions {
  readonly chains: number
  /** Tasks of a chain that are submitted ahead of the one that runs. */
  readonly ahead: number
  readonly taskMs: number
  /** Of each result. Up to 100 KiB it goes to its owner at once; more stays where it was made. */
  readonly bytes: number
  /** A chain's tasks run in one tab after the other, not where their argument is. */
  readonly isSpread: boolean
}

/** What was seen, by the page's wall clock. */
export interface ChainFacts {
  /** Runs that began; each says so itself. `node`: as much of its id as a printed line has. */
  readonly begun: readonly {
    readonly chain: number
    readonly step: number
    readonly node: string
    readonly at: number
  }[]
  /** When the driver knew that a result exists. */
  readonly done: readonly { readonly chain: number; readonly step: number; readonly at: number }[]
  /** When the driver's status showed that a tab is gone. */
  readonly lost: readonly { readonly node: string; readonly at: number }[]
}

const NODE_DIGITS = 6
const MARK = 'chain'
/** The status comes four times a second; looking more often costs nothing. */
const LOOK_MS = 20

const step = remote({}, async (_, former: unknown, mark: string, ms: number, bytes: number) => {
  console.log(mark)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return new Uint8Array(bytes)
})
const spreadStep = step.options({ schedulingStrategy: 'SPREAD' })

/** The chains of one page, which are started once. */
export class Chains {
  readonly #begun: ChainFacts['begun'][number][] = []
  readonly #done: ChainFacts['done'][number][] = []
  readonly #lost: ChainFacts['lost'][number][] = []
  #running: Promise<unknown> = Promise.resolve()
  #isStopped = false

  start(options: ChainsOptions): void {
    this.#listen()
    this.#watch()
    this.#running = Promise.all(Array.from({ length: options.chains }, (_, chain) => this.#run(chain, options)))
  }

  /** Lets the chains end, and tells everything. */
  async stop(): Promise<ChainFacts> {
    this.#isStopped = true
    await this.#running
    return { begun: this.#begun, done: this.#done, lost: this.#lost }
  }

  async #run(chain: number, { ahead, taskMs, bytes, isSpread }: ChainsOptions): Promise<void> {
    const task = isSpread ? spreadStep : step
    const submitted: ObjectRef<Uint8Array>[] = []
    let former: ObjectRef<Uint8Array> | undefined
    for (let next = 0; !this.#isStopped || submitted.length > 0;) {
      while (!this.#isStopped && submitted.length < ahead) {
        const mark = `${MARK} ${chain} ${next++}`
        submitted.push(task.remote(submitted.at(-1) ?? former, mark, taskMs, bytes))
      }
      const first = submitted.shift()
      if (first === undefined) break
      await wait([first])
      this.#done.push({ chain, step: next - 1 - submitted.length, at: Date.now() })
      former?.release()
      former = first
    }
    former?.release()
  }

  /** A task's line arrives as the page's own, `(step @abcdef) chain 3 17`. */
  #listen(): void {
    const line = new RegExp(`^\\(\\S+ @([0-9a-f]{${NODE_DIGITS}})\\) ${MARK} (\\d+) (\\d+)`)
    const print = console.log.bind(console)
    console.log = (...parts: unknown[]) => {
      const [, node, chain, at] = line.exec(String(parts[0])) ?? []
      if (node === undefined) print(...parts)
      else this.#begun.push({ chain: Number(chain), step: Number(at), node, at: Date.now() })
    }
  }

  #watch(): void {
    const present = new Set<string>()
    setInterval(() => {
      const members = currentSession()?.status().members ?? []
      const connected = new Set(members.filter(({ state }) => state === 'connected').map(({ nodeId }) => nodeId))
      for (const node of connected) present.add(node)
      for (const node of present)
        if (!connected.has(node)) {
          present.delete(node)
          this.#lost.push({ node: node.slice(0, NODE_DIGITS), at: Date.now() })
        }
    }, LOOK_MS)
  }
}
