/** What is wrong while the page goes on, in words for people. Pure. */
import type { SessionStatus } from '@shoal/sdk'

export interface Trouble {
  readonly text: string
  readonly helpsToReload: boolean
}

/** The worst of what is wrong; undefined when all is well. */
export function troubleOf(
  status: SessionStatus | undefined,
  isInRoom: boolean,
  hasWebRtc: boolean,
): Trouble | undefined {
  if (status === undefined) return undefined
  if (!hasWebRtc) {
    return {
      text: 'This browser has WebRTC switched off (an extension or a policy does that), so no other tab can be reached. This tab works alone.',
      helpsToReload: false,
    }
  }
  if (status.problem !== undefined)
    return { text: sentence(status.problem), helpsToReload: /reload/i.test(status.problem) }
  if (isInRoom && status.state === 'offline') {
    return {
      text: 'The room’s server and its tabs are out of reach. This tab goes on by itself and joins again as soon as it can.',
      helpsToReload: false,
    }
  }
  if (isInRoom && isApart(status)) {
    return {
      text: 'This network keeps devices apart: no tab of this room can be reached from here. Another network would do, or a relay (TURN server) for the room.',
      helpsToReload: false,
    }
  }
  const unreachable = status.members.filter((member) => member.state === 'unreachable').length
  if (unreachable > 0) {
    return {
      text: `${unreachable === 1 ? 'One tab' : `${unreachable} tabs`} of this room cannot be reached from here. A relay (TURN server) would be needed.`,
      helpsToReload: false,
    }
  }
  return undefined
}

/** Others are there, and none of them can be reached. */
export function isApart({ members }: Pick<SessionStatus, 'members'>): boolean {
  const others = members.filter(({ isSelf }) => !isSelf)
  return others.length > 0 && others.every(({ state }) => state === 'unreachable')
}

/** How this tab is connected: over links of its own, or over relays. */
export function connectedWords({ members }: Pick<SessionStatus, 'members'>): string {
  const others = members.filter(({ isSelf, state }) => !isSelf && state === 'connected')
  const relayed = others.filter(({ isDirect }) => !isDirect).length
  if (relayed === 0) return 'connected, direct'
  return relayed === others.length ? 'connected, relayed' : `connected, ${relayed} of ${others.length} relayed`
}

/** With a capital and a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? '' : '.')
}
