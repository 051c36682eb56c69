import { refuseUnknownOptions } from './init-options.ts'
import type { PageSession } from './page-session.ts'
import { TabSession } from './session.ts'
import type { InitOptions, Room, Session } from './session-types.ts'

// The module-level functions are a facade over the newest session. Importing this touches no platform API.
let current: { readonly session: PageSession; readonly options: string | undefined } | undefined

/** The session that the module-level functions act on, if one was started. */
export function currentSession(): Session | undefined {
  return current?.session
}

/** As Ray: the first `.remote()` starts a session of this tab alone. */
export function mustSession(): PageSession {
  current ??= { session: new TabSession({}), options: '{}' }
  return current.session
}

/**
 * Puts a session in the place of the one that `init` would start: how a test room takes over. From now on `init` gives
 * this one, whatever its options; the function that is given back takes it out again.
 *
 * @throws Error when a session is running.
 */
export function installSession(session: PageSession): () => void {
  if (current !== undefined) throw new Error('a session is running; shut it down before another takes its place')
  const entry = { session, options: undefined }
  current = entry
  return () => {
    if (current === entry) current = undefined
  }
}

/**
 * Starts this tab's node, and joins the room of a link. Called again with the same options it gives the same session.
 *
 * @throws TypeError or RangeError for a bad option, by name; RoomError for a damaged link (without touching the network)
 *   or a room that cannot be joined; Error when a session with other options is running: `shutdown()` it first.
 * @example
 * const session = await init({ room: location.href, lend: false })
 */
export async function init(options: InitOptions = {}): Promise<Session> {
  refuseUnknownOptions(options)
  const key = JSON.stringify(options)
  if (current?.options !== undefined && current.options !== key)
    throw new Error('init() was called before with other options; shutdown() that session first')
  current ??= { session: new TabSession(options), options: key }
  const { session } = current
  try {
    await session.ready
  } catch (error) {
    await session.shutdown()
    if (current?.session === session) current = undefined
    throw error
  }
  return session
}

/**
 * Makes a room on a signaling server and enters it as its owner, in the running session or a new one.
 *
 * @throws RoomError when the server cannot be reached or this tab is in a room already.
 * @example
 * const room = await createRoom({ server: location.origin })
 * console.log(room.helperLink)
 */
export async function createRoom(
  options: { readonly server: string } & Omit<InitOptions, 'room' | 'role'>,
): Promise<Room> {
  const { server, ...rest } = options
  if (typeof server !== 'string') throw new TypeError('server must be a string: the address of a signaling server')
  const session = current?.session ?? ((await init(rest)) as PageSession)
  await session.ready
  return session.createRoom(server)
}

/** Ends the running session: its tasks, actors and objects, its workers and its place in the room. Idempotent. */
export async function shutdown(): Promise<void> {
  const ended = current
  current = undefined
  await ended?.session.shutdown()
}
