import { every, shuffled } from '@shoal/base'
import type { Clock, Random } from '@shoal/base'
import type { NodeId, NodeMessage } from '@shoal/protocol'
import type { Directory } from './directory.ts'

/** How often a few of the peers with whom we do not agree yet are told what we know. */
const COMPARE_MS = 1_000
const COMPARED_AT_ONCE = 3
/** The same difference is answered once in this time: it may be one that nobody can settle (a node retired here only). */
const SAME_ANSWER_MS = 10_000

export interface DirectorySyncOptions {
  readonly directory: Pick<Directory, 'applyUpdate' | 'vector' | 'summaryOf' | 'updatesSince' | 'onUpdate'>
  readonly clock: Clock
  readonly random: Random
  readonly send: (to: NodeId, message: NodeMessage) => void
}

/**
 * Carries a directory over links: vectors when a link comes up and while two ends disagree, updates as they happen.
 * Silent once all agree. It knows the directory's frames only as bytes.
 */
export interface DirectorySync {
  linked(peer: NodeId): void
  unlinked(peer: NodeId): void
  /** True when the message was the directory's. Throws ProtocolError. */
  receive(from: NodeId, message: NodeMessage): boolean
  close(): void
}

interface Peer {
  /** The summary under which both ends last agreed. */
  agreedOn: string | undefined
  /** The summary that it heard of us last. */
  told: string | undefined
  /** The last difference answered, and when. */
  answered: { readonly difference: string; readonly atMs: number } | undefined
}

/** Where an update came from: a link. Updates of other origins than these and our own are the seed's business. */
class FromPeer {
  readonly peer: NodeId

  constructor(peer: NodeId) {
    this.peer = peer
  }
}

export function createDirectorySync(options: DirectorySyncOptions): DirectorySync {
  const { directory, clock, random, send } = options
  const peers = new Map<NodeId, Peer>()
  const tell = (to: NodeId, state: Peer): void => {
    const vector = directory.vector()
    state.told = directory.summaryOf(vector)
    send(to, { type: 'directory.vector', vector })
  }

  // What a peer sent goes on to the others only when it changed something here, which is when the document says so.
  const endUpdates = directory.onUpdate((update, origin) => {
    if (origin !== undefined && !(origin instanceof FromPeer)) return
    for (const peer of peers.keys()) {
      if (!(origin instanceof FromPeer) || origin.peer !== peer) send(peer, { type: 'directory.update', update })
    }
  })

  const timer = every(clock, COMPARE_MS, () => {
    const summary = directory.summaryOf(directory.vector())
    const differing = [...peers].filter(([, state]) => state.agreedOn !== summary)
    for (const [peer, state] of shuffled(random, differing).slice(0, COMPARED_AT_ONCE)) tell(peer, state)
  })

  function compare(from: NodeId, vector: Uint8Array<ArrayBuffer>): void {
    const state = peers.get(from)
    if (state === undefined) return
    const theirs = directory.summaryOf(vector)
    const ours = directory.summaryOf(directory.vector())
    if (theirs === ours) {
      state.agreedOn = ours
      // Else it would never know that we agree, as we have no more reason to tell it, and tell us each second.
      if (state.told !== ours) tell(from, state)
      return
    }
    const difference = `${theirs} ${ours}`
    const now = clock.now()
    if (state.answered?.difference === difference && now - state.answered.atMs < SAME_ANSWER_MS) return
    state.answered = { difference, atMs: now }
    for (const update of directory.updatesSince(vector)) send(from, { type: 'directory.update', update })
  }

  return {
    linked(peer) {
      const state: Peer = { agreedOn: undefined, told: undefined, answered: undefined }
      peers.set(peer, state)
      tell(peer, state)
    },
    unlinked(peer) {
      peers.delete(peer)
    },
    receive(from, message) {
      if (message.type === 'directory.vector') compare(from, message.vector)
      else if (message.type === 'directory.update') directory.applyUpdate(message.update, new FromPeer(from))
      else return false
      return true
    },
    close() {
      timer.cancel()
      endUpdates()
      peers.clear()
    },
  }
}
