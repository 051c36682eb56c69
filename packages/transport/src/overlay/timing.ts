/** How often a link says that it lives, a hello is repeated, and deadlines are looked at. */
export const BEAT_MS = 250
/** A beat this late means that we slept ourselves, and may not judge others by what we did not hear. */
export const OVERSLEPT_MS = 1_000
/** A link that carried nothing for so long is given up and made anew. Above the 4 s that a healthy tab may pause. */
export const LINK_SILENCE_MS = 5_000
/** One try at a connection: ICE needs 1 to 3 s on a slow path, more where many tabs share few cores. */
export const TRY_MS = 10_000
/** From an open connection to both keys proven: two messages each way, repeated every BEAT_MS. */
export const PROOF_MS = 5_000
/** Without a link for so long a peer is reported unreachable. */
export const UNREACHABLE_MS = 10_000
export const RETRY_FIRST_MS = 250
export const RETRY_LIMIT_MS = 4_000
/** Tries at an unreachable peer: slow, as Chrome allows about 500 connections in a tab's life. */
export const SLOW_RETRY_FIRST_MS = 10_000
export const SLOW_RETRY_LIMIT_MS = 120_000
/** An acknowledgement waits so long for a packet to ride on. */
export const ACKNOWLEDGE_MS = 20
/** Or for so many packets. */
export const ACKNOWLEDGE_PACKETS = 32
/** So many faults within the window close a link. */
export const FAULTS_LIMIT = 3
export const FAULTS_WINDOW_MS = 10_000
/** Signals of one peer that wait to be opened; more are dropped. An offer with its candidates is about 10. */
export const WAITING_SIGNALS = 64
/** Sessions remembered as over; the oldest is dropped first. */
export const REMEMBERED_SESSIONS = 65_536

/** How often one node is told that its session is over. */
export const TELL_OVER_EVERY_MS = 1_000
