import type { SessionStatus } from '@shoal/sdk'
import type { RoomTotals } from './es/es-run.ts'

/** What a driver plans with: slots that work for it, and bytes over its links. */
export function roomTotals(status: SessionStatus | undefined): RoomTotals {
  if (status === undefined) return { slots: 1, bytes: 0 }
  const others = status.members.filter((member) => !member.isSelf && member.state === 'connected')
  const slots = others.reduce((sum, member) => sum + member.slots, status.slots)
  return { slots: Math.max(1, slots), bytes: status.bytesSent + status.bytesReceived }
}
