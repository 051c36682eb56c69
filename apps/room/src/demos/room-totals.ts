import type { SessionStatus } from '@shoal/sdk'
import type { RoomTotals } from './es/es-run.ts'

/** What a driver plans with: slots that work for it, and bytes over its links. */
export function roomTotals(status: SessionStatus | undefined): RoomTotals {
  if (status === undefined) return { tabs: 1, slots: 1, bytes: 0 }
  const others = status.members.filter((member) => !member.isSelf && member.state === 'connected' && member.slots > 0)
  const slots = others.reduce((sum, member) => sum + member.slots, status.slots)
  return { tabs: others.length + 1, slots: Math.max(1, slots), bytes: status.bytesSent + status.bytesReceived }
}
