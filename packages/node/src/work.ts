import type {
  ActorOptionsRecord,
  NodeId,
  Attempt,
  CodeDefinition,
  EncodedValue,
  FunctionHash,
  JobId,
  ObjectId,
  PlacedRef,
  ResourceSet,
  WireError,
} from '@shoal/protocol'
import type { WorkShape } from '@shoal/scheduler'
import type { Revival } from './actors/checkpoint.ts'

/** What is the same for many runs of one function with one set of options. */
export interface WorkTemplate {
  /** Unique on this node: measured run times and what a worker already knows go by it. */
  readonly key: string
  readonly hash: FunctionHash
  readonly definition: CodeDefinition
  readonly exportName: string
  readonly name: string
  readonly job: JobId
  readonly numReturns: number
  /** See `streamMode`. */
  readonly stream: number
  /** What a run reserves while it lasts, or an actor to be placed. */
  readonly shape: WorkShape
  /** Of that, what an actor keeps for its life. */
  readonly held: ResourceSet
  /** 0: none. */
  readonly timeoutMs: number
  /** Where the job's actors are found by name. */
  readonly namespace: string
  /** Of actors. */
  readonly actor: ActorOptionsRecord | undefined
  /** Never queued behind another task in one worker. */
  readonly isExclusive: boolean
}

/** How a run ended. `lost`: its worker went while it ran; `not-started`: it never ran and may be run anywhere. */
export type WorkOutcome =
  | { readonly kind: 'values'; readonly values: readonly EncodedValue[] }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'lost'; readonly error: WireError }

/** One attempt to be run in one of this tab's workers: an own task, a guest's, an actor's birth or a call to it. */
export interface Work {
  readonly kind: 'task' | 'actor-new' | 'actor-call'
  readonly id: ObjectId
  readonly attempt: Attempt
  readonly template: WorkTemplate
  /** Actor calls only. */
  readonly method: string
  readonly depth: number
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
  /** Of an actor with checkpoints that is made again. */
  readonly revival?: Revival | undefined
  /** For another tab. */
  readonly isGuest: boolean
  /** Called exactly once a start, unless the work was given back unstarted. */
  ended(outcome: WorkOutcome, cpuMicros: number): void
  /** A generator has yielded a value. */
  yielded?(index: number, value: EncodedValue): void
  /** Guests only: back to its owner, unstarted, instead of `ended`. */
  givenBack?(): void
}

/** Of a job whose driver is another tab. */
export function isOthers({ template }: Pick<Work, 'template'>, self: NodeId): boolean {
  return template.job.driver !== self
}

/** What runs in a tab for other tabs: how many runs, and the names of some of them. */
export function guestsAmong(
  runs: Iterable<{ readonly work: Work }>,
  self: NodeId,
  mostNames: number,
): { readonly running: number; readonly names: readonly string[] } {
  const names = new Set<string>()
  let running = 0
  for (const { work } of runs) {
    const { template, method } = work
    if (template.job.driver === self) continue
    running++
    if (names.size < mostNames) names.add(work.kind === 'actor-call' ? `${template.name}.${method}` : template.name)
  }
  return { running, names: [...names] }
}
