/** Which of a connection's two channels. */
export type LaneName = 'control' | 'bulk'

/** What the page's host and the node worker's connector say to each other; connections are numbered by the connector. */
export type ToRtcHost =
  | { readonly type: 'connect'; readonly id: number; readonly isInitiator: boolean }
  | { readonly type: 'signal'; readonly id: number; readonly data: string }
  | { readonly type: 'close'; readonly id: number }
  /** Where channels are forwarded only. */
  | { readonly type: 'send'; readonly id: number; readonly lane: LaneName; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'say'; readonly id: number; readonly lane: LaneName; readonly text: string }
  | { readonly type: 'finish'; readonly id: number; readonly lane: LaneName }

export type FromRtcHost =
  /** Said first: whether this browser makes connections at all. */
  | { readonly type: 'ready'; readonly isAvailable: boolean }
  | { readonly type: 'signal'; readonly id: number; readonly data: string }
  /** The channels themselves, still connecting. */
  | { readonly type: 'channels'; readonly id: number; readonly control: RTCDataChannel; readonly bulk: RTCDataChannel }
  /** Instead of them: they stay on the page, which passes every message on. */
  | { readonly type: 'forwarding'; readonly id: number }
  | {
      readonly type: 'connected'
      readonly id: number
      readonly localFingerprint: string
      readonly remoteFingerprint: string
      readonly isDirect: boolean
    }
  | { readonly type: 'goodbye'; readonly id: number }
  | { readonly type: 'ended'; readonly id: number; readonly isFailure: boolean; readonly reason: string }
  | { readonly type: 'lane-open'; readonly id: number; readonly lane: LaneName }
  | {
      readonly type: 'lane-message'
      readonly id: number
      readonly lane: LaneName
      readonly bytes: Uint8Array<ArrayBuffer>
    }
  | { readonly type: 'lane-said'; readonly id: number; readonly lane: LaneName; readonly text: string }
  | { readonly type: 'lane-closed'; readonly id: number; readonly lane: LaneName; readonly isFailure: boolean }

/** The ids of the negotiated channels, the same on both sides; simple-peer's own takes another. */
export const LANE_IDS: Readonly<Record<LaneName, number>> = { control: 1, bulk: 2 }
