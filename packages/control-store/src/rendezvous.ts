import type { NodeId } from '@shoal/protocol'

/**
 * The nodes by their score with a text, highest first (Thaler and Ravishankar, "Using name-based mappings to increase hit
 * rates", 1998): a node that comes or goes moves only what it wins or held, and equal views agree. Not a cryptographic
 * hash: whoever grinds for it can be first, as any member may.
 */
export function byRendezvous(text: string, nodes: Iterable<NodeId>): NodeId[] {
  const scored = [...nodes].map((node) => ({ node, score: scoreOf(`${text}\n${node}`) }))
  scored.sort((a, b) => b.score - a.score || (a.node < b.node ? -1 : 1))
  return scored.map(({ node }) => node)
}

/** FNV-1a over UTF-16 code units, with murmur3's finish: 32 bits that depend on all of the text. */
function scoreOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
