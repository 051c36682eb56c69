import { defineBadge } from './badge/badge.ts'
import { refuseBadIceServers, refuseUnknownOptions } from './init-options.ts'
import type { PageSession } from './page-session.ts'
import { areSameOptions, copyOptions } from './same-options.ts'
import { TabSession } from './session.ts'
import type { InitOptions, Room, RoomOptions, Session } from './session-types.ts'

interface Current {
  readonly session: PageSession
  /** Undefined for a session that was installed: it is there whatever is asked for. */
  readonly options: InitOptions | undefined
}

// The module-level functions are a facade over the newest session. Importing this touches no platform API.
let newest: Current | undefined

/** A session that was shut down by its own method is no longer anybody's. */
function current(): Current | undefined {
  if (newest?.session.isClosed) newest = undefined
  return newest
}

/**
 * The session that the module-level functions act on, if one was started.
 *
 * @example
 * console.log(currentSession()?.status().state ?? 'no session')
 */
export function currentSession(): Session | undefined {
  return current()?.session
}

/** As Ray: the first `.remote()` starts a session of this tab alone. */
export function mustSession(): PageSession {
  return (current() ?? start({})).session
}

/**
 * Puts a session in the place of the one that `init` would start: how a test room takes over. From now on `init` gives
 * this one, whatever its options; the function that is given back takes it out again.
 *
 * @throws Error when a session is running.
 */
export function installSession(session: PageSession): () => void {
  if (current() !== undefined) throw new Error('a session is running; shut it down before another takes its place')
  const entry = { session, options: undefined }
  newest = entry
  return () => {
    if (newest === entry) newest = undefined
  }
}

/**
 * Starts this tab's node, and joins the room of a link. Called again with the same options, in whatever order, it gives
 * the same session.
 *
 * @throws TypeError or RangeError for a bad option, by name; PermissionError for a role that the link does not allow;
 *   RoomError for a damaged link (without touching the network) or a room that cannot be joined; ShutdownError when
 *   `shutdown()` came first; Error when a session with other options is running: `shutdown()` it first.
 * @example
 * const session = await init({ room: location.href })
 * session.lend(true) // as soon as a <shoal-badge> is shown, work of the room runs here
 */
export async function init(options: InitOptions = {}): Promise<Session> {
  refuseUnknownOptions(options)
  const running = current()
  if (running?.options !== undefined && !areSameOptions(running.options, options))
    throw new Error('init() was called before with other options; shutdown() that session first')
  const { session } = running ?? start(options)
  try {
    await session.ready
  } catch (error) {
    await session.shutdown()
    throw error
  }
  return session
}

/**
 * A session of its own beside the one of the module-level functions: for a page that is in two rooms at once. Use its
 * methods `remote`, `actor`, `get`, `put` and `wait`; what a remote module exports goes through
 * `session.remote(f)` and `session.actor(A)`. Each session has its own workers.
 *
 * @throws as `init`, but for a session that runs already.
 * @example
 * // In a page: two rooms' links, as people pasted them.
 * const links = [...document.querySelectorAll('input')].map((input) => input.value)
 * const [left, right] = await Promise.all([createSession({ room: links[0] ?? '' }), createSession({ room: links[1] ?? '' })])
 * const add = left.remote((a: number, b: number) => a + b)
 * await left.get(add.remote(1, 2)) // 3
 * await right.shutdown()
 */
export async function createSession(options: InitOptions = {}): Promise<Session> {
  refuseUnknownOptions(options)
  defineBadge()
  const session = new TabSession(copyOptions(options))
  try {
    await session.ready
  } catch (error) {
    await session.shutdown()
    throw error
  }
  return session
}

/**
 * Makes a room on a signaling server and enters it as its owner, in the running session or a new one.
 *
 * @throws RoomError when the server cannot be reached or this tab is in a room already; Error when a session with other
 *   options than these is running.
 * @example
 * const room = await createRoom({ server: location.origin })
 * console.log(room.helperLink)
 */
export async function createRoom(options: RoomOptions & Omit<InitOptions, 'room'>): Promise<Room> {
  const { server, iceServers, ...rest } = options
  if (typeof server !== 'string') throw new TypeError('server must be a string: the address of a signaling server')
  if (iceServers !== undefined) refuseBadIceServers(iceServers)
  // A running session that is not named otherwise goes on in the room.
  const running = Object.keys(rest).length === 0 ? current()?.session : undefined
  const session = running ?? (await init(rest))
  await session.ready
  return session.createRoom({ server, ...(iceServers !== undefined && { iceServers }) })
}

/**
 * Ends the running session: its tasks, actors and objects, its workers and its place in the room. What waits rejects with
 * ShutdownError. Idempotent, and harmless where there is none.
 *
 * @example
 * // In a page that leaves Shoal without leaving itself:
 * document.querySelector('button')?.addEventListener('click', () => void shutdown())
 */
export async function shutdown(): Promise<void> {
  const ended = newest
  newest = undefined
  await ended?.session.shutdown()
}

function start(options: InitOptions): Current {
  defineBadge()
  newest = { session: new TabSession(copyOptions(options)), options: copyOptions(options) }
  return newest
}
