/** The two actors of a run: who learns, and who answers people. They live until it is disposed, wherever the room put them. */
import { context } from '@shoal/sdk'
import type { AlphaZeroState } from '@shoal/rl'
import { LiveLearnerActor, LiveServerActor } from './connect-four.remote.ts'
import type { FourSettings } from './four-settings.ts'

export type LearnerHandle = ReturnType<typeof LiveLearnerActor.remote>
export type ServerHandle = ReturnType<typeof LiveServerActor.remote>

export class Crew implements Disposable {
  readonly learner: LearnerHandle
  readonly server: ServerHandle

  constructor(settings: FourSettings, seed: number, resumeFrom?: AlphaZeroState) {
    this.learner = LiveLearnerActor.remote(settings, seed)
    // Calls of one handle keep their order: whatever is asked of it next comes after this.
    if (resumeFrom !== undefined) this.learner.setState.options({ numReturns: 0 }).remote(resumeFrom)
    // A wish: where there are other tabs, this one has a page to draw.
    const elsewhere = { soft: { 'shoal/node-id': `!${context().nodeId}` } }
    this.server = LiveServerActor.options({ schedulingStrategy: elsewhere }).remote(settings.network, this.learner)
  }

  [Symbol.dispose](): void {
    this.server[Symbol.dispose]()
    this.learner[Symbol.dispose]()
  }
}
