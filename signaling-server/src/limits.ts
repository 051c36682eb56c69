import { LIMITS } from '@shoal/protocol'

/**
 * What the server bears, each with its reason. Past any of them the offender is told why and closed; nobody else
 * notices. Tests and operators may lower or raise them one by one.
 */
export const SERVER_LIMITS = {
  /** A relay: one blob and its envelope (type, node id, length). */
  signalMessageBytes: LIMITS.signalingBlobBytes + 64,
  /** A directory message: one update and its envelope; an honest document is rolled before it is larger. */
  directoryMessageBytes: LIMITS.directoryUpdateBytes + 64,
  /** A room's document here: honest ones stay under half of it, so past it somebody is filling it up. */
  directoryBytes: 2 * LIMITS.directoryUpdateBytes,
  /** Messages a second from one socket, lasting: some 20 signals a new link, and a few links a second. */
  messagesPerSecond: 200,
  /** Messages at once: a tab that enters a full mesh of 60 sends about 20 signals to each in one go. */
  messageBurst: 1500,
  /** Bytes a second from one socket, lasting: more than signaling or a directory ever needs, little for a server. */
  bytesPerSecond: 512 * 1024,
  /** Bytes at once: 60 offers of 6 kB with their candidates, or a few whole directories. */
  byteBurst: 4 * 1024 * 1024,
  /** Bytes waiting for one slow receiver; past it what others relay to it is dropped, which they must expect anyway. */
  receiverBacklogBytes: 2 * 1024 * 1024,
  /** Members of a room: `welcome` lists them all, and the protocol reads no longer list. */
  roomMembers: LIMITS.roomMembers,
  /** Rooms at once: each costs a few kB, and one document of `directoryBytes`. */
  rooms: 1024,
  /** Sockets from one address: a school behind one NAT may fill a room, with two sockets a tab. */
  connectionsPerAddress: 2 * LIMITS.roomMembers,
  /** Sockets in all: what one process serves well; file descriptors end soon after. */
  connections: 8192,
  /** Time from connecting to `hello`: a slow phone needs two seconds; a socket that says nothing holds a place. */
  helloMs: 10_000,
  /** A socket over which nothing went for so long belongs to a frozen or forgotten tab; a live one just comes back. */
  idleMs: 12 * 3600_000,
  /** Between pings. A peer that lost its network is known after two; also keeps home routers from forgetting it. */
  pingMs: 10_000,
  /** From the farewell to cutting a socket that does not answer it. */
  closeMs: 1000,
  /** How long a room's document outlives its last reader: a reload, or everybody changing networks at once. */
  emptyDirectoryMs: 60_000,
} as const

export type ServerLimits = { readonly [Name in keyof typeof SERVER_LIMITS]: number }
