import type { NodeId } from '@shoal/protocol'

/** Links that a node keeps. */
export const KEPT_LINKS = 12
/** Each gives a node two neighbours. */
const RINGS = KEPT_LINKS / 2

/**
 * Whom a node keeps links to, of all that are known to live. In a room of KEPT_LINKS + 1 or fewer: everybody. In a larger
 * one the members stand on six rings, each in an order of its own that hashes of their ids decide, and everybody keeps
 * its two neighbours on each: both ends of a link come to the same answer alone, one ring is enough to connect all, six
 * random ones make a graph of three or four hops for hundreds (Law and Siu, "Distributed construction of random expander
 * networks", 2003), and whoever comes or goes moves two links a ring.
 *
 * Who is not to be had (`avoided`) stands on no ring: the next on either side closes it.
 */
export function keptLinks(self: NodeId, members: Iterable<NodeId>, avoided?: ReadonlySet<NodeId>): Set<NodeId> {
  const others = new Set(members)
  others.delete(self)
  if (others.size <= KEPT_LINKS) return others
  const kept = new Set<NodeId>()
  for (let ring = 0; ring < RINGS; ring++) {
    const own = placeOn(ring, self)
    let next: NodeId | undefined
    let previous: NodeId | undefined
    let [nextGap, previousGap] = [Infinity, Infinity]
    for (const node of others) {
      if (avoided?.has(node)) continue
      const gap = gapOf(placeOn(ring, node), own)
      if (gap < nextGap) [next, nextGap] = [node, gap]
      const back = CIRCLE - gap
      if (back < previousGap) [previous, previousGap] = [node, back]
    }
    if (next !== undefined) kept.add(next)
    if (previous !== undefined) kept.add(previous)
  }
  return kept
}

const CIRCLE = 2 ** 32

function gapOf(place: number, from: number): number {
  const gap = place - from
  return gap > 0 ? gap : gap + CIRCLE
}

const places = new Map<NodeId, Uint32Array>()
/** Ids are hashes; their first 64 bits with the ring's number mixed in (MurmurHash3's finalizer) give its places. */
function placeOn(ring: number, node: NodeId): number {
  let known = places.get(node)
  if (known === undefined) {
    if (places.size > 4_096) places.clear()
    const [high, low] = [Number.parseInt(node.slice(0, 8), 16), Number.parseInt(node.slice(8, 16), 16)]
    known = Uint32Array.from({ length: RINGS }, (_, i) => mixed((high + Math.imul(i + 1, 0x9e3779b1)) ^ mixed(low + i)))
    places.set(node, known)
  }
  return known[ring] as number
}

function mixed(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
