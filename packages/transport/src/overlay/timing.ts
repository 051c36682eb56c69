/** How often a link says that it lives, a hello is repeated, and deadlines are looked at. */
export const BEAT_MS = 250
/** A beat this late means that we slept ourselves, and may not judge others by what we did not hear. */
export const OVERSLEPT_MS = 1_000
/**
 * A link that carried nothing for so long is given up and made anew. Above the 4 s that a healthy tab may pause, and above
 * the 5 s and a tick after which membership judges a neighbour's silence: that is our vote, and a link that ended before
 * would put "lost, I wait for it" in its place, and hold everybody's verdict up for as long again.
 */
export const LINK_SILENCE_MS = 6_000
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
/** What changes in our links within this time makes one report; so long a vote is kept on its way, for others to go with it. */
export const GOSSIP_MS = 30
/** Others' reports without a vote: a new link is no hurry, and in a large room many change at a time. */
export const NEWS_MS = 90
/** A node reports new and lost links no more often than this; votes at once. */
export const REPORT_EVERY_MS = 250
/** A packet that was not acknowledged for so long goes over another way as well... */
export const RESEND_FIRST_MS = 1_000
/** ...and again after twice the time, up to this. */
export const RESEND_LIMIT_MS = 4_000
/** Under way and not acknowledged on a detour, which shares the links of others. */
export const DETOUR_WINDOW_BYTES = 1024 * 1024
/** Bytes that one link may have us carry to others: a burst, and what follows it each second. More is dropped. */
export const RELAY_BURST_BYTES = 8 * 1024 * 1024
export const RELAY_BYTES_PER_SECOND = 8 * 1024 * 1024
/** The higher node of a pair asks for a link that it wants when none came for so long, and again. */
export const ASK_AFTER_MS = 750
export const ASK_EVERY_MS = 2_000
/** Detoured bulk under way to one peer. */
export const DETOURED_BULK_BYTES = 256 * 1024
/** Detoured bulk that nobody takes for so long was lost on the way. */
export const DETOURED_BULK_STALL_MS = 3_000
/** A word on a link that is no more is repeated for so long: later it says nothing about the present. */
export const ACCUSATION_MS = 10_000
/** Bulk waits so long for a link of its own before it takes a detour. */
export const LINK_FIRST_MS = 3_000
/** A link on demand is kept so long after it was last used. */
export const DEMAND_MS = 30_000
/** So many messages over others within the window are worth a link of their own. */
export const DEMAND_MESSAGES = 20
export const DEMAND_WINDOW_MS = 10_000
/** A session that we gave up is told so over the room when somebody still hears it after so long. */
export const STILL_HEARD_MS = 2_000
/** What we gave up is looked for among what others hear for so long. */
export const RECENTLY_OVER_MS = 60_000
/** A link that we ended as needless and that is there again within this time is the other's choice: it stays. */
export const THEIR_CHOICE_MS = 60_000
/** A link that came of an earlier view of the room, and that nothing used, is ended after so long. */
export const NEEDLESS_MS = 5_000
