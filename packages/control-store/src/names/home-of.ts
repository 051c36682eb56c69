import type { NodeId } from '@shoal/protocol'

/**
 * Rendezvous hash: the node whose score with the text is highest, so that a node that comes or goes moves only what it
 * wins or held. Equal views find the same home. Not a cryptographic hash: whoever grinds for it can be a name's home, as
 * any member may.
 */
export function homeOf(text: string, nodes: Iterable<NodeId>): NodeId | undefined {
  let best: { readonly node: NodeId; readonly score: number } | undefined
  for (const node of nodes) {
    const score = scoreOf(`${text}\n${node}`)
    if (best === undefined || score > best.score || (score === best.score && node < best.node)) best = { node, score }
  }
  return best?.node
}

/** FNV-1a over UTF-16 code units, with murmur3's finish: 32 bits that depend on all of the text. */
function scoreOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
