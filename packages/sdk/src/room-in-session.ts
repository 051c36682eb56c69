import { Subscribable } from '@shoal/base'
import { formatRoomFragment } from '@shoal/protocol'
import type { RoomSecret } from '@shoal/protocol'
import type { Joined } from '@shoal/node/web'
import { memberChanges } from './member-changes.ts'
import type { Member, MemberChanges, Room, RoomState, SessionStatus } from './session-types.ts'

/** What a room needs of the session that is in it. */
export interface RoomHost {
  status(): SessionStatus
  onStatus(listener: (status: SessionStatus) => void): () => void
  leave(): Promise<void>
  /** A listener of the room threw. */
  listenerFailed(error: unknown): void
}

interface Change {
  readonly members: readonly Member[]
  readonly changes: MemberChanges
}

/** The room as the session shows it: links and members. The session does the work. States: open -> left. */
export class RoomInSession implements Room {
  readonly id: string
  readonly fingerprint: string
  readonly helperLink: string
  readonly ownerLink: string | undefined
  readonly #host: RoomHost
  readonly #listeners: Subscribable<Change>
  readonly #endStatus: () => void
  #members: readonly Member[]
  #isLeft = false

  constructor(options: {
    readonly joined: Joined
    readonly secret: RoomSecret
    /** The address that other devices can reach. */
    readonly address: string
    readonly host: RoomHost
  }) {
    const { joined, secret, address, host } = options
    const page = address.endsWith('/') ? address : `${address}/`
    this.id = joined.room
    this.fingerprint = joined.fingerprint
    const helper: RoomSecret = { kind: 'helper', roomKey: secret.roomKey, ownerPublicKey: joined.ownerPublicKey }
    this.helperLink = `${page}#${formatRoomFragment(helper)}`
    this.ownerLink = secret.kind === 'owner' ? `${page}#${formatRoomFragment(secret)}` : undefined
    this.#host = host
    this.#listeners = new Subscribable((error) => host.listenerFailed(error))
    this.#members = host.status().members
    this.#endStatus = host.onStatus(({ members }) => this.#look(members))
  }

  get state(): RoomState {
    if (this.#isLeft) return 'left'
    const { state } = this.#host.status()
    // A room exists once it was joined; `starting` is over by then.
    return state === 'starting' ? 'joining' : state
  }

  members(): readonly Member[] {
    return this.#isLeft ? [] : this.#host.status().members
  }

  onChange(listener: (members: readonly Member[], changes: MemberChanges) => void): () => void {
    return this.#listeners.subscribe(({ members, changes }) => listener(members, changes))
  }

  async leave(): Promise<void> {
    if (!this.#isLeft) await this.#host.leave()
  }

  /** The session is out of the room. */
  left(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.#endStatus()
    this.#look([])
  }

  #look(members: readonly Member[]): void {
    const changes = memberChanges(this.#members, members)
    this.#members = members
    if (changes !== undefined) this.#listeners.emit({ members, changes })
  }
}
