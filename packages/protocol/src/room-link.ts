import { RoomError } from './errors.ts'

/**
 * A room's link. Everything secret stands in the URL's fragment, which browsers never send. A helper's link lets a tab
 * work; an owner's link also carries the seed of the room owner's key, so that its tab may submit.
 * The room's id is the hash of the owner's public key: whoever holds a link can check whose room it is.
 */
export type RoomSecret =
  | {
      readonly kind: 'helper'
      readonly roomKey: Uint8Array<ArrayBuffer>
      readonly ownerPublicKey: Uint8Array<ArrayBuffer>
    }
  | { readonly kind: 'owner'; readonly roomKey: Uint8Array<ArrayBuffer>; readonly ownerSeed: Uint8Array<ArrayBuffer> }

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ROOM_KEY_BYTES = 16
const OWNER_BYTES = 32
const CHECK_BYTES = 3

/** `room=` and the secret with its check characters, ready to stand behind `#`. */
export function formatRoomFragment(secret: RoomSecret): string {
  const payload = new Uint8Array(1 + ROOM_KEY_BYTES + OWNER_BYTES + CHECK_BYTES)
  payload[0] = secret.kind === 'helper' ? 1 : 2
  payload.set(secret.roomKey, 1)
  payload.set(secret.kind === 'helper' ? secret.ownerPublicKey : secret.ownerSeed, 1 + ROOM_KEY_BYTES)
  const end = payload.length - CHECK_BYTES
  const check = crc32(payload.subarray(0, end))
  for (let i = 0; i < CHECK_BYTES; i++) payload[end + i] = (check >>> (8 * i)) & 0xff
  return `room=${toBase64Url(payload)}`
}

/** A link's server and secret. Throws RoomError naming what is wrong, without touching the network. */
export function parseRoomLink(link: string): { readonly server: string; readonly secret: RoomSecret } {
  const match = /^(https?:\/\/[^#?]+)(?:\?[^#]*)?#(?:.*&)?room=([^&]*)/.exec(link.trim())
  if (!match) throw new RoomError('room', 'this is not a Shoal room link: it has no "#room=" part')
  const [, server = '', text = ''] = match
  return {
    // The folder of the page: what stands behind the last slash of the path is the page's name.
    server: server.replace(/^(https?:\/\/[^/]+)(\/(?:.*\/)?)?[^/]*$/, (_, host: string, path = '/') => host + path),
    secret: parseSecret(text),
  }
}

function parseSecret(text: string): RoomSecret {
  const damaged = (): RoomError =>
    new RoomError('room', 'this room link is damaged: characters are missing or changed. Ask for the link again.')
  const payload = fromBase64Url(text)
  if (payload?.length !== 1 + ROOM_KEY_BYTES + OWNER_BYTES + CHECK_BYTES) throw damaged()
  const end = payload.length - CHECK_BYTES
  const check = crc32(payload.subarray(0, end))
  for (let i = 0; i < CHECK_BYTES; i++) if (payload[end + i] !== ((check >>> (8 * i)) & 0xff)) throw damaged()
  const roomKey = payload.slice(1, 1 + ROOM_KEY_BYTES)
  const owner = payload.slice(1 + ROOM_KEY_BYTES, end)
  if (payload[0] === 1) return { kind: 'helper', roomKey, ownerPublicKey: owner }
  if (payload[0] === 2) return { kind: 'owner', roomKey, ownerSeed: owner }
  throw new RoomError('room', 'this room link is of another version of Shoal. Reload this tab and ask for a new link.')
}

/** CRC-32 (ISO-HDLC): recognises a damaged link; it protects nothing. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

export function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const count = Math.min(3, bytes.length - i) + 1
    for (let k = 0; k < count; k++) text += ALPHABET.charAt((group >>> (18 - 6 * k)) & 63)
  }
  return text
}

/** Undefined when the text is not base64url. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let count = 0
  let at = 0
  for (const character of text) {
    const value = ALPHABET.indexOf(character)
    if (value < 0) return undefined
    bits = ((bits << 6) | value) & 0xffffff
    count += 6
    if (count >= 8) {
      count -= 8
      bytes[at++] = (bits >>> count) & 0xff
    }
  }
  return bytes
}
