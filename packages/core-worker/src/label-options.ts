import { LIMITS, NODE_ID_LABEL, STRATEGIES } from '@shoal/protocol'
import type { BundleChoice, LabelSelector, LabelTerm, NodeLabels, ResourceSet } from '@shoal/protocol'
import { bundleChoice } from './placement-group.ts'
import type { PlacementGroupSchedulingStrategy } from './placement-group.ts'

/** In that tab. `soft`: elsewhere if it is gone or has not got what the work asks for. Default false. */
export interface NodeAffinitySchedulingStrategy {
  /** As `nodes()` and `context()` tell it. */
  readonly nodeId: string
  readonly soft?: boolean
}

/** In a tab with all of `hard`; of those, in one with all of `soft` while there is one that could ever take it. */
export interface NodeLabelSchedulingStrategy {
  readonly hard?: LabelConditions
  readonly soft?: LabelConditions
}

/** By label: `'v'`, `'!v'`, `'in(v, w)'` or `'!in(v, w)'`. A tab without the label fulfils those with `!`. */
export type LabelConditions = Readonly<Record<string, string>>

/** How work is placed: see `schedulingStrategy` of `ResourceOptions`. */
export type SchedulingStrategy =
  | (typeof STRATEGIES)[number]
  | NodeAffinitySchedulingStrategy
  | NodeLabelSchedulingStrategy
  | PlacementGroupSchedulingStrategy

interface Placed {
  readonly schedulingStrategy?: SchedulingStrategy
  readonly labelSelector?: LabelConditions
}

export interface Placement {
  readonly strategy: (typeof STRATEGIES)[number]
  readonly labels: LabelSelector
  readonly bundle: BundleChoice | undefined
  /** Nothing is said of where it runs: inside of a group that captures it is there. */
  readonly isFree: boolean
}

/** No control characters, and nothing that means something in a condition. */
const NAME = /^[^\p{C}!(),\s][^\p{C}!(),]*$/u
const MOST_LENGTH = 80
const NODE_ID = /^[0-9a-f]{32}$/
const LIST = /^in\((.*)\)$/

/** @throws TypeError or RangeError naming the option. */
export function placement({ schedulingStrategy: strategy, labelSelector }: Placed, asked: ResourceSet): Placement {
  const selected = terms('labelSelector', labelSelector)
  if (strategy === undefined || typeof strategy === 'string') {
    if (strategy !== undefined && !STRATEGIES.includes(strategy))
      throw new RangeError(
        `schedulingStrategy must be ${STRATEGIES.join(', ')}, { nodeId }, { hard, soft } or { placementGroup }, got ${JSON.stringify(strategy)}`,
      )
    const isFree = strategy === undefined && selected.length === 0
    return { strategy: strategy ?? 'DEFAULT', labels: { hard: selected, soft: [] }, bundle: undefined, isFree }
  }
  const { hard, soft } = fromObject(strategy)
  const bundle = bundleChoice(strategy, asked)
  return { strategy: 'DEFAULT', labels: { hard: refuseTooMany([...selected, ...hard]), soft }, bundle, isFree: false }
}

function fromObject(strategy: Exclude<SchedulingStrategy, string>): LabelSelector {
  // A JavaScript caller may give anything.
  if (typeof strategy !== 'object' || (strategy as unknown) === null)
    throw new TypeError(`schedulingStrategy must be a string or an object, got ${String(strategy)}`)
  const known =
    'placementGroup' in strategy
      ? ['placementGroup', 'bundleIndex', 'captureChildTasks']
      : 'nodeId' in strategy
        ? ['nodeId', 'soft']
        : ['hard', 'soft']
  if (Object.keys(strategy).length === 0)
    throw new TypeError('schedulingStrategy needs a nodeId, hard, soft or placementGroup')
  for (const key of Object.keys(strategy))
    if (!known.includes(key)) throw new TypeError(`unknown schedulingStrategy.${key}; known are ${known.join(', ')}`)
  if (!('nodeId' in strategy)) {
    const { hard, soft } = strategy as NodeLabelSchedulingStrategy
    return { hard: terms('schedulingStrategy.hard', hard), soft: terms('schedulingStrategy.soft', soft) }
  }
  const { nodeId, soft = false } = strategy
  if (typeof nodeId !== 'string' || !NODE_ID.test(nodeId))
    throw new RangeError(`schedulingStrategy.nodeId must be a node's id, 32 hex digits, got ${JSON.stringify(nodeId)}`)
  if (typeof soft !== 'boolean') throw new TypeError('schedulingStrategy.soft must be true or false')
  const term = { key: NODE_ID_LABEL, isNot: false, values: [nodeId] }
  return soft ? { hard: [], soft: [term] } : { hard: [term], soft: [] }
}

/** What a tab says of itself. @throws TypeError or RangeError */
export function offeredLabels(labels: Readonly<Record<string, string>> | undefined): NodeLabels {
  return entriesOf('labels', labels).map(([key, value]) => {
    // Each node has it, and says nothing else.
    if (key === NODE_ID_LABEL) throw new RangeError(`labels must not name ${NODE_ID_LABEL}: it is the node's id`)
    refuseBadName(`labels: the value of ${key}`, value)
    return { key, value }
  })
}

function terms(option: string, conditions: LabelConditions | undefined): LabelTerm[] {
  return entriesOf(option, conditions).map(([key, condition]) => {
    const isNot = condition.startsWith('!')
    const rest = isNot ? condition.slice(1) : condition
    const list = LIST.exec(rest)?.[1]
    const values = (list === undefined ? [rest] : list.split(',')).map((value) => value.trim())
    if (values.length > LIMITS.labelValues)
      throw new RangeError(`${option}.${key} has more than ${LIMITS.labelValues} values`)
    for (const value of values) refuseBadName(`${option}.${key}: a value`, value)
    return { key, isNot, values }
  })
}

function entriesOf(option: string, labels: Readonly<Record<string, string>> | undefined): [string, string][] {
  if (labels === undefined) return []
  if (typeof labels !== 'object' || (labels as unknown) === null || Array.isArray(labels))
    throw new TypeError(`${option} must be an object of strings by label`)
  const entries = refuseTooMany(Object.entries(labels))
  for (const [key, value] of entries) {
    refuseBadName(`${option}: a label`, key)
    if (typeof value !== 'string') throw new TypeError(`${option}.${key} must be a string`)
  }
  return entries
}

function refuseTooMany<T>(list: T[]): T[] {
  if (list.length > LIMITS.labels) throw new RangeError(`more than ${LIMITS.labels} labels`)
  return list
}

function refuseBadName(what: string, name: string): void {
  if (!NAME.test(name) || name.length > MOST_LENGTH)
    throw new RangeError(
      `${what} has 1 to ${MOST_LENGTH} visible characters, none of them ! ( ) or a comma, got ${JSON.stringify(name)}`,
    )
}
