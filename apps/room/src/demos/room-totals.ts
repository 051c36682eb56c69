import type { SessionStatus } from '@shoal/sdk'

export interface RoomTotals {
  /** Tabs that work for this one, itself included. */
  readonly tabs: number
  /** Slots lent to this tab's work, its own included. */
  readonly slots: number
  /** Sent and received by this tab. */
  readonly bytes: number
}

/** What a driver plans with: slots that work for it, and bytes over its links. */
export function roomTotals(status: SessionStatus | undefined): RoomTotals {
  if (status === undefined) return { tabs: 1, slots: 1, bytes: 0 }
  const others = status.members.filter((member) => !member.isSelf && member.state === 'connected' && member.slots > 0)
  const slots = others.reduce((sum, member) => sum + member.slots, status.slots)
  return { tabs: others.length + 1, slots: Math.max(1, slots), bytes: status.bytesSent + status.bytesReceived }
}
