import type { Clock, Log, Random } from '@shoal/base'
import type { Connector } from '../connector.ts'
import { refuseBadFaultRules } from './fault-rules.ts'
import type { FaultRule } from './fault-rules.ts'
import { FaultyLink } from './faulty-link.ts'

export interface FaultOptions {
  readonly rules: readonly FaultRule[]
  readonly clock: Clock
  /** Of its own: rules must not shift what others draw. */
  readonly random: Random
  readonly log: Log
  /** Told of each fault, with the types that the frame carried. */
  readonly onFault?: (rule: FaultRule, types: readonly string[]) => void
}

/**
 * What makes a connector's links do to what they send as the rules say. Below sessions: what is lost of a packet is sent
 * again, what comes twice is dropped, and everything above still sees each message once and in order. Counts go on when
 * another connector is made.
 * @throws TypeError or RangeError for rules that make no sense.
 */
export function createFaults(options: FaultOptions): (connector: Connector) => Connector {
  const { rules, clock, random, log } = options
  refuseBadFaultRules(rules)
  const left = new Map(rules.map((rule) => [rule, rule.count ?? Number.POSITIVE_INFINITY]))
  const seen = new Set<string>()
  log.warn('messages are dropped, delayed or duplicated on purpose', { rules: JSON.stringify(rules) })

  const fault = (peer: string, types: readonly string[]): FaultRule | undefined => {
    for (const rule of rules) {
      const remaining = left.get(rule) ?? 0
      if (remaining <= 0 || (rule.to !== undefined && rule.to !== peer)) continue
      if (rule.type !== '*' && !types.includes(rule.type)) continue
      if (random.float() >= (rule.probability ?? 1)) continue
      left.set(rule, remaining - 1)
      options.onFault?.(rule, types)
      // What happens to a packet happens to all that is in it.
      for (const type of types) {
        const name = `${rule.action} ${type}`
        if (!seen.has(name)) log.warn(`first ${name} on purpose`)
        seen.add(name)
      }
      return rule
    }
    return undefined
  }

  return (connector) => ({
    isAvailable: connector.isAvailable,
    connect: (peer, session, isInitiator, handlers) =>
      connector.connect(peer, session, isInitiator, {
        ...handlers,
        // Spread copies no method of a class instance.
        signal: (data) => handlers.signal(data),
        failed: (reason) => handlers.failed(reason),
        open: (opened) => {
          const link = new FaultyLink(opened.link, clock, (types) => fault(peer, types))
          handlers.open({ ...opened, link })
        },
      }),
  })
}
