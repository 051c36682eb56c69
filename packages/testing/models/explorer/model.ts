import type { KeyWriter } from './key-writer.ts'

/**
 * Who makes a step. The protocol's own steps and the user's come for certain, sooner or later; a chance is a fault, or
 * work that somebody may bring and need not.
 */
export type StepKind = 'protocol' | 'user' | 'chance'

/** One thing that can happen next. Only traces are put into words, so the words are made when asked for. */
export interface Step<S> {
  readonly kind: StepKind
  readonly words: () => string
  readonly next: S
}

/** A protocol as an explicit-state model: all that can happen, one step at a time, and what must hold meanwhile. */
export interface Model<S> {
  readonly initial: S

  /** Everything that can happen in `state`, always in the same order. Never changes `state`. */
  steps(state: S): readonly Step<S>[]

  /**
   * Writes all that tells `state` apart from others, numbers only. `view` names one of the `views` ways to rename
   * parties that are alike; states equal under some renaming count as one.
   */
  writeKey(state: S, key: KeyWriter, view: number): void

  /** How many renamings `writeKey` knows; 1 where nobody is like anybody else. */
  readonly views: number

  /** What is wrong with `state` itself, in words. */
  broken(state: S): string | undefined

  /** What is wrong when only the user and chance could go on: asked where the protocol has no step of its own left. */
  brokenWhenSettled?(state: S): string | undefined

  /** What is wrong when only chance could go on: leaks and waits without end. */
  brokenWhenOver(state: S): string | undefined

  /** Situations that a run of the model has to meet, or it proves nothing about them; counted by name. */
  readonly situations?: Readonly<Record<string, (state: S) => boolean>>
}
