import type { RoomLink } from './room-link.ts'

/** Who enters again looks this often, for at least and at most so long, whether everybody who is there is linked. */
const ENTRY_LOOK_MS = 250
const ENTRY_LEAST_MS = 1_000
const ENTRY_MOST_MS = 10_000

/** Who comes back waits until everybody who is there is linked, or has had the time for it. Not called when it left. */
export function whenEntered(
  link: () => RoomLink | undefined,
  later: (delayMs: number, callback: () => void) => void,
  entered: () => void,
  waitedMs = 0,
): void {
  later(ENTRY_LOOK_MS, () => {
    const room = link()
    if (room === undefined) return
    const members = room.members()
    const hasHeard = room.isServerUp || members.length > 0
    const isWhole = waitedMs >= ENTRY_LEAST_MS && hasHeard && members.every(({ state }) => state !== 'connecting')
    if (isWhole || waitedMs >= ENTRY_MOST_MS) entered()
    else whenEntered(link, later, entered, waitedMs + ENTRY_LOOK_MS)
  })
}
