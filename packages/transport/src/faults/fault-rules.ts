import { linkFrame, nodeMessage } from '@shoal/protocol'

/**
 * What goes wrong on purpose with frames that this tab sends. Frames, not messages: messages of one moment share a
 * packet, and what happens to it happens to all of them.
 */
export interface FaultRule {
  /** A message between nodes (`task.result`), a frame of the link (`link.beat`), `bulk`, or `*` for all of them. */
  readonly type: string
  readonly action: 'drop' | 'delay' | 'duplicate'
  /** How often, from 0 to 1. Default 1. */
  readonly probability?: number
  /** Of `delay`. Default 100, at most 60,000. */
  readonly delayMs?: number
  /** Ends after so many times. */
  readonly count?: number
  /** Only on links to this node. */
  readonly to?: string
}

export const FAULT_ACTIONS = ['drop', 'delay', 'duplicate'] as const
const MAX_RULES = 100
const MAX_DELAY_MS = 60_000
const KNOWN_FIELDS = ['type', 'action', 'probability', 'delayMs', 'count', 'to']

/** The types that a schema's union has, without what is inside of them. */
function variantsOf(shape: string): string[] {
  const types: string[] = []
  let depth = 0
  let start = 'union('.length
  for (let at = start; at < shape.length; at++) {
    const character = shape[at]
    if (character === '(' || character === '{') depth++
    else if (character === ')' || character === '}') depth--
    else if (character === '=' && depth === 0) types.push(shape.slice(start, at))
    else if (character === ';' && depth === 0) start = at + 1
  }
  return types
}

/** Every type that a rule may name, `*` apart. */
export function faultTypes(): string[] {
  const frames = variantsOf(linkFrame.shape).filter((type) => type !== 'packet')
  return [...variantsOf(nodeMessage.shape), ...frames.map((type) => `link.${type}`), 'bulk']
}

/** @throws TypeError or RangeError that says which rule is wrong, and what of it. */
export function refuseBadFaultRules(rules: unknown): asserts rules is readonly FaultRule[] {
  if (!Array.isArray(rules)) throw new TypeError('faults must be an array of rules')
  if (rules.length > MAX_RULES) throw new RangeError(`faults has more than ${MAX_RULES} rules`)
  const types = faultTypes()
  rules.forEach((rule: unknown, index) => {
    const place = `faults[${index}]`
    if (typeof rule !== 'object' || rule === null) throw new TypeError(`${place} must be an object`)
    for (const field of Object.keys(rule))
      if (!KNOWN_FIELDS.includes(field))
        throw new TypeError(`${place}.${field} is unknown; known are ${KNOWN_FIELDS.join(', ')}`)
    const { type, action, probability, delayMs, count, to } = rule as Record<string, unknown>
    if (type !== '*' && !types.includes(type as string))
      throw new RangeError(`${place}.type is ${String(type)}; known are *, ${types.join(', ')}`)
    if (!(FAULT_ACTIONS as readonly unknown[]).includes(action))
      throw new RangeError(`${place}.action must be drop, delay or duplicate, got ${String(action)}`)
    const refuseUnless = (isRight: boolean, what: string): void => {
      if (!isRight) throw new RangeError(`${place}.${what}`)
    }
    const isBetween = (value: unknown, most: number): boolean =>
      typeof value === 'number' && value >= 0 && value <= most
    refuseUnless(probability === undefined || isBetween(probability, 1), 'probability must be from 0 to 1')
    refuseUnless(delayMs === undefined || isBetween(delayMs, MAX_DELAY_MS), `delayMs must be from 0 to ${MAX_DELAY_MS}`)
    refuseUnless(delayMs === undefined || action === 'delay', 'delayMs is for action delay alone')
    refuseUnless(
      count === undefined || (Number.isSafeInteger(count) && (count as number) > 0),
      'count must be a whole number above 0',
    )
    refuseUnless(to === undefined || /^[0-9a-f]{32}$/.test(String(to)), 'to must be a node id')
  })
}
