import { assert } from '@shoal/base'
import { KeyWriter } from './key-writer.ts'
import type { Model, Step } from './model.ts'
import { StateSet } from './state-set.ts'

export interface ExploreOptions {
  /** The search ends, not exhausted, once it has met this many states. */
  readonly maxStates: number
}

export interface Exploration {
  readonly states: number
  readonly transitions: number
  /** Steps of the longest of all shortest ways to a state. */
  readonly depth: number
  /** Every state that can be reached was met and none was broken. */
  readonly exhausted: boolean
  /** How many states show each of the model's situations. */
  readonly situations: Readonly<Record<string, number>>
  /** The first broken state by breadth, so its trace is a shortest one. */
  readonly broken?: Broken
}

export interface Broken {
  readonly what: string
  /** One line for each step from the initial state. */
  readonly trace: readonly string[]
}

/**
 * Breadth-first search through every state of a model. Deterministic: the same model gives the same figures and trace.
 *
 * Holds 26 bytes for each state met and, as values, only the states whose steps are still to be taken.
 *
 * @example
 * const found = explore(referencesModel({ handOvers: 2 }), { maxStates: 1_000_000 })
 * expect(found.broken?.trace).toBeUndefined()
 */
export function explore<S>(model: Model<S>, options: ExploreOptions): Exploration {
  const key = new KeyWriter()
  const known = new StateSet()
  const situations = Object.entries(model.situations ?? {})
  const met = new Map(situations.map(([name]) => [name, 0]))
  let transitions = 0
  let depth = 0
  let next: S[] = []
  let firstOfLevel = 0

  const report = (exhausted: boolean, broken?: Broken): Exploration => ({
    states: known.size,
    transitions,
    depth,
    exhausted,
    situations: Object.fromEntries(met),
    ...(broken === undefined ? {} : { broken }),
  })

  const meet = (state: S, parent: number, step: number): Broken | undefined => {
    const id = addState(model, known, key, state, parent, step)
    if (id === undefined) return undefined
    for (const [name, shows] of situations) if (shows(state)) met.set(name, (met.get(name) ?? 0) + 1)
    next.push(state)
    const what = model.broken(state)
    return what === undefined ? undefined : { what, trace: replay(model, known.pathTo(id)) }
  }

  const brokenAtStart = meet(model.initial, -1, 0)
  if (brokenAtStart !== undefined) return report(false, brokenAtStart)
  while (next.length > 0) {
    const level = next
    next = []
    for (const [index, state] of level.entries()) {
      const steps = model.steps(state)
      const what = brokenAtRest(model, state, steps)
      if (what !== undefined) {
        return report(false, { what, trace: replay(model, known.pathTo(firstOfLevel + index)) })
      }
      for (const [place, step] of steps.entries()) {
        transitions++
        const broken = meet(step.next, firstOfLevel + index, place)
        if (broken !== undefined) return report(false, broken)
      }
      if (known.size >= options.maxStates) return report(false)
    }
    firstOfLevel += level.length
    if (next.length > 0) depth++
  }
  return report(true)
}

/** The smallest key among all renamings stands for the state. */
function addState<S>(model: Model<S>, known: StateSet, key: KeyWriter, state: S, parent: number, step: number) {
  let low = 0
  let high = 0
  for (let view = 0; view < model.views; view++) {
    key.reset()
    model.writeKey(state, key, view)
    if (view === 0 || key.high < high || (key.high === high && key.low < low)) {
      low = key.low
      high = key.high
    }
  }
  return known.add(low, high, parent, step)
}

function brokenAtRest<S>(model: Model<S>, state: S, steps: readonly Step<S>[]): string | undefined {
  if (steps.some((step) => step.kind === 'protocol')) return undefined
  const what = model.brokenWhenSettled?.(state)
  if (what !== undefined || steps.some((step) => step.kind === 'user')) return what
  return model.brokenWhenOver(state)
}

function replay<S>(model: Model<S>, path: readonly number[]): string[] {
  const trace: string[] = []
  let state = model.initial
  for (const place of path) {
    const step = model.steps(state)[place]
    assert(step !== undefined, 'a model gave other steps for the same state')
    trace.push(step.words())
    state = step.next
  }
  return trace
}
