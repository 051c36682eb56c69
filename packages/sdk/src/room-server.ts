import { RoomError } from '@shoal/protocol'

/** What a room's server says about itself. */
export interface ServerConfig {
  readonly iceServers: readonly RTCIceServer[]
  /** The server's address on the default route: what other devices can reach. */
  readonly lanUrl: string | undefined
}

/**
 * Reads `/config.json`.
 *
 * @throws RoomError when the server is not there or is none; the signal's reason when it aborts.
 */
export async function readServerConfig(server: string, signal: AbortSignal): Promise<ServerConfig> {
  const url = new URL('config.json', server.endsWith('/') ? server : `${server}/`)
  let answer: Response
  try {
    answer = await fetch(url, { cache: 'no-store', signal })
  } catch (cause) {
    signal.throwIfAborted()
    throw new RoomError('room', `the room's server ${server} cannot be reached`, { cause })
  }
  if (!answer.ok) throw new RoomError('room', `${server} is no Shoal server: /config.json answered ${answer.status}`)
  let config: { iceServers?: RTCIceServer[]; lanUrl?: string | null }
  try {
    config = (await answer.json()) as typeof config
  } catch (cause) {
    signal.throwIfAborted()
    throw new RoomError('room', `${server} is no Shoal server: its /config.json is not JSON`, { cause })
  }
  return { iceServers: config.iceServers ?? [], lanUrl: config.lanUrl ?? undefined }
}

/** The address to put into links: never one that only this machine can reach, when another is known. */
export function publicAddress(server: string, lanUrl: string | undefined): string {
  const host = new URL(server).hostname
  const isLoopback = host === 'localhost' || host === '[::1]' || /^127\./.test(host)
  return isLoopback && lanUrl !== undefined ? lanUrl : server
}
