/**
 * The page's part in a room: from the link in the URL to a session, and what people do to it. One per page.
 * It does not know the demos, nor what any of this looks like.
 *
 *   welcome -> opening -> open -> left
 *                 \-> failed (a damaged link, an unreachable server, another version)
 *
 * A tab that came by a link starts without lending: nothing of others runs in it before the person says so. Only a tab
 * that made its room lends again after a reload.
 */
import { createRoom, currentSession, init } from '@shoal/sdk'
import type { ObjectState, Room, Session, SessionStatus, StateResult } from '@shoal/sdk'
import { LineLog } from '../dashboard/model/line-log.ts'
import { computed, signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { messageOf } from './message-of.ts'
import { toLimits } from './lending-settings.ts'
import type { SettingsOfLending } from './lending-settings.ts'
import { roomPartOf } from './page-url.ts'
import type { PageAddress } from './page-address.ts'

export type Screen =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'opening'; readonly what: string }
  | { readonly kind: 'failed'; readonly title: string; readonly message: string; readonly canRetry: boolean }
  | { readonly kind: 'open' }
  /** What the tab did for others while it was there. */
  | { readonly kind: 'left'; readonly tasks: number; readonly cpuMs: number; readonly bytes: number }

/** Remembers, for the tab's life, the room that was made in it. */
const MADE_HERE = 'shoal.made-here'
const MOST_OBJECTS = 50
/** Less is a page that was busy. */
const STOOD_STILL_MS = 6_000
/** A room that was just entered is not out of reach: its first link and the server's are on their way. */
const ENTERING_MS = 3_000

export class RoomModel {
  readonly #address: PageAddress
  readonly #settings: SettingsOfLending
  readonly #screen = signal<Screen>({ kind: 'welcome' })
  readonly #status = signal<SessionStatus | undefined>(undefined)
  readonly #room = signal<Room | undefined>(undefined)
  readonly #stoodStillMs = signal<number | undefined>(undefined)
  readonly #isEntering = signal(true)
  #enteredAtMs = Date.now()
  #heardAtMs: number | undefined
  #session: Session | undefined
  #stopListening: (() => void)[] = []

  /** What this tab's tasks print, from the start on: the dashboard may be opened later. */
  readonly lines = new LineLog()
  readonly screen: ReadonlySignal<Screen> = this.#screen
  readonly status: ReadonlySignal<SessionStatus | undefined> = this.#status
  readonly room: ReadonlySignal<Room | undefined> = this.#room
  /** CPUs of this tab, lent or not. */
  readonly workers: ReadonlySignal<number> = computed(() => Math.max(1, this.#status.value?.resources['CPU'] ?? 1))
  /** The room was entered moments ago, and nothing is linked yet. */
  readonly isEntering: ReadonlySignal<boolean> = this.#isEntering
  /** For how long the browser had this tab stand still, when it last did. */
  readonly stoodStillMs: ReadonlySignal<number | undefined> = this.#stoodStillMs
  /** Whether this tab may submit work: alone, or by an owner's link. */
  readonly canSubmit: ReadonlySignal<boolean> = computed(
    () => this.#room.value === undefined || this.#room.value.ownerLink !== undefined,
  )

  constructor(address: PageAddress, settings: SettingsOfLending) {
    this.#address = address
    this.#settings = settings
  }

  /** Opens what the URL names; without a room in it, the first screen stays. */
  async openFromUrl(): Promise<void> {
    const part = this.#address.url.value.room
    if (part === undefined) return
    await this.#open('Joining the room', 'This room cannot be opened', async () => {
      this.#listenTo(await init({ room: this.#address.linkOf(part), lend: false, ...this.#address.debugOptions() }))
    })
    const room = this.#room.value
    if (room !== undefined && this.isMaker()) this.lend(true)
  }

  /** Also from working alone: the session goes on in the room. */
  async makeRoom(): Promise<void> {
    await this.#open('Making a room', 'The room could not be made', async () => {
      const room = await createRoom({ server: this.#address.server, ...this.#address.debugOptions() })
      const session = currentSession()
      if (session === undefined) throw new Error('the session ended while its room was made')
      this.#listenTo(session)
      // A session that worked alone before did not lend.
      this.lend(true)
      const part = room.ownerLink === undefined ? undefined : roomPartOf(room.ownerLink)
      if (part !== undefined) this.#address.change({ room: part, auto: undefined })
      rememberMadeHere(room.id)
    })
  }

  /** This tab's own cores, no room, no server. */
  async workAlone(): Promise<void> {
    await this.#open('Starting', 'Shoal could not start in this tab', async () => {
      this.#listenTo(await init({ lend: false, ...this.#address.debugOptions() }))
    })
  }

  /** Whether this tab works alone or made its room, in this life of the tab: what it was opened for may begin by itself. */
  isMaker(): boolean {
    const room = this.#room.peek()
    return room === undefined || (room.ownerLink !== undefined && madeHere() === room.id)
  }

  /** Read now, not when it last changed. */
  currentStatus(): SessionStatus | undefined {
    return this.#session?.status() ?? this.#status.peek()
  }

  /** @throws Error before there is a session. */
  session(): Session {
    if (this.#session === undefined) throw new Error('this page has no session yet')
    return this.#session
  }

  /** What a ledger has in it, as the room tells now: as many as people look at. */
  objectsOf(owner: string): Promise<StateResult<ObjectState>> {
    return this.session().listObjects({ filters: [['ownerId', '=', owner]], limit: MOST_OBJECTS, detail: true })
  }

  /** Within the limits that its person set. */
  lend(isOn: boolean): void {
    this.#session?.lend(isOn && toLimits(this.#settings.value.peek()))
    this.#refresh()
  }

  limitsChanged(): void {
    if (this.currentStatus()?.wantsToLend === true) this.lend(true)
  }

  /** Says goodbye to the room. The session ends too: whoever leaves wants the cores back. */
  async leave(): Promise<void> {
    const { guestTasksRun = 0, cpuMs = 0, bytesSent = 0, bytesReceived = 0 } = this.currentStatus() ?? {}
    this.#screen.value = { kind: 'left', tasks: guestTasksRun, cpuMs, bytes: bytesSent + bytesReceived }
    for (const stop of this.#stopListening.splice(0)) stop()
    const session = this.#session
    this.#session = undefined
    await this.#room.value?.leave()
    await session?.shutdown()
    this.#refresh()
  }

  async #open(what: string, failedTitle: string, start: () => Promise<void>): Promise<void> {
    this.#screen.value = { kind: 'opening', what }
    try {
      await start()
      await this.#session?.ready
      this.#room.value ??= this.#session?.room
      this.#enteredAtMs = Date.now()
      this.#refresh()
      this.#screen.value = { kind: 'open' }
    } catch (error) {
      const message = messageOf(error)
      // A damaged link stays damaged; all else may have passed.
      this.#screen.value = {
        kind: 'failed',
        title: failedTitle,
        message,
        canRetry: !/damaged|no "#room="/.test(message),
      }
    }
  }

  #listenTo(session: Session): void {
    for (const stop of this.#stopListening.splice(0)) stop()
    this.#session = session
    this.#room.value = session.room
    this.#stopListening.push(
      session.onStatus((status) => this.#heard(status)),
      this.lines.listen(session),
    )
    this.#refresh()
  }

  /** The node tells of itself every second, in the background too: a longer silence is a tab that stood still. */
  #heard(status: SessionStatus): void {
    const now = Date.now()
    const silentMs = now - (this.#heardAtMs ?? now)
    this.#heardAtMs = now
    if (silentMs > STOOD_STILL_MS) this.#stoodStillMs.value = silentMs
    this.#isEntering.value = status.state === 'offline' && now - this.#enteredAtMs < ENTERING_MS
    this.#status.value = status
  }

  noticed(): void {
    this.#stoodStillMs.value = undefined
  }

  #refresh(): void {
    if (this.#session !== undefined) this.#status.value = this.#session.status()
  }
}

// Storage may be switched off; then a reload asks before lending, which is the safe side.
function madeHere(): string | undefined {
  try {
    return sessionStorage.getItem(MADE_HERE) ?? undefined
  } catch {
    return undefined
  }
}

function rememberMadeHere(roomId: string): void {
  try {
    sessionStorage.setItem(MADE_HERE, roomId)
  } catch {
    return
  }
}
