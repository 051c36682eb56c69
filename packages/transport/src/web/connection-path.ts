/** What is known of a connection that stands. */
export interface ConnectionPath {
  /** The DTLS certificates as both descriptions name them: `sha-256 AB:CD:...`. */
  readonly localFingerprint: string
  readonly remoteFingerprint: string
  /** False when it goes over a TURN server. */
  readonly isDirect: boolean
}

export async function findPath(connection: RTCPeerConnection): Promise<ConnectionPath> {
  const localFingerprint = fingerprintOf(connection.localDescription)
  const remoteFingerprint = fingerprintOf(connection.remoteDescription)
  const isDirect = !isRelayed(await connection.getStats())
  return { localFingerprint, remoteFingerprint, isDirect }
}

/** The certificate's fingerprint in a description (RFC 8122). */
export function fingerprintOf(description: RTCSessionDescription | null): string {
  const [, algorithm, value] = /^a=fingerprint:(\S+) (\S+)/m.exec(description?.sdp ?? '') ?? []
  if (algorithm === undefined || value === undefined) throw new Error('a description has no fingerprint')
  return `${algorithm.toLowerCase()} ${value.toUpperCase()}`
}

interface PairStats {
  readonly type: string
  readonly selectedCandidatePairId?: string
  readonly selected?: boolean
  readonly nominated?: boolean
  readonly state?: string
  readonly localCandidateId?: string
  readonly remoteCandidateId?: string
  readonly candidateType?: string
}

function isRelayed(stats: RTCStatsReport): boolean {
  const entries = new Map<string, PairStats>()
  stats.forEach((entry: PairStats & { id: string }) => entries.set(entry.id, entry))
  const all = [...entries.values()]
  const transport = all.find((entry) => entry.type === 'transport' && entry.selectedCandidatePairId !== undefined)
  const pair =
    entries.get(transport?.selectedCandidatePairId ?? '') ??
    // Firefox has no transport entry.
    all.find(
      (entry) =>
        entry.type === 'candidate-pair' && (entry.selected || (entry.nominated && entry.state === 'succeeded')),
    )
  const ends = [pair?.localCandidateId, pair?.remoteCandidateId]
  return ends.some((id) => id !== undefined && entries.get(id)?.candidateType === 'relay')
}
