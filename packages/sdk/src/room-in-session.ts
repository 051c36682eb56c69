import { formatRoomFragment } from '@shoal/protocol'
import type { RoomSecret } from '@shoal/protocol'
import type { Joined } from '@shoal/node/web'
import { fingerprint } from './fingerprint.ts'
import type { Member, Room } from './session-types.ts'

/** The room as the session shows it: links and members. The session does the work. */
export class RoomInSession implements Room {
  readonly id: string
  readonly fingerprint: string
  readonly helperLink: string
  readonly ownerLink: string | undefined
  readonly #members: () => readonly Member[]
  readonly #subscribe: (listener: (members: readonly Member[]) => void) => () => void
  readonly #leave: () => Promise<void>

  constructor(options: {
    readonly joined: Joined
    readonly secret: RoomSecret
    /** The address that other devices can reach. */
    readonly address: string
    members(): readonly Member[]
    subscribe(listener: (members: readonly Member[]) => void): () => void
    leave(): Promise<void>
  }) {
    const { joined, secret, address } = options
    const page = address.endsWith('/') ? address : `${address}/`
    this.id = joined.room
    this.fingerprint = fingerprint(joined.room)
    const helper: RoomSecret = { kind: 'helper', roomKey: secret.roomKey, ownerPublicKey: joined.ownerPublicKey }
    this.helperLink = `${page}#${formatRoomFragment(helper)}`
    this.ownerLink = secret.kind === 'owner' ? `${page}#${formatRoomFragment(secret)}` : undefined
    this.#members = () => options.members()
    this.#subscribe = (listener) => options.subscribe(listener)
    this.#leave = () => options.leave()
  }

  members(): readonly Member[] {
    return this.#members()
  }

  onChange(listener: (members: readonly Member[]) => void): () => void {
    return this.#subscribe(listener)
  }

  leave(): Promise<void> {
    return this.#leave()
  }
}
