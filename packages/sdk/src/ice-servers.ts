import type { WireIceServer } from '@shoal/protocol'
import type { IceServer } from './session-types.ts'

/** As the platform takes them. */
export function toRtc(servers: readonly IceServer[] | undefined): readonly RTCIceServer[] | undefined {
  return servers?.map(({ urls, ...rest }) => ({ ...rest, urls: typeof urls === 'string' ? urls : [...urls] }))
}

/** As the directory keeps them. */
export function toWire(servers: readonly IceServer[]): WireIceServer[] {
  return servers.map(({ urls, username, credential }) => ({
    urls: typeof urls === 'string' ? [urls] : [...urls],
    username,
    credential,
  }))
}
