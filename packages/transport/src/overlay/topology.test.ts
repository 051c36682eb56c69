import { seededRandom } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import type { NodeId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { KEPT_LINKS, keptLinks } from './topology.ts'

const random = seededRandom(3)
const someNodes = (count: number): NodeId[] => Array.from({ length: count }, () => randomNodeId(random))

/** The largest number of links between two, over those that `kept` says; Infinity when some are cut off. */
function diameter(nodes: readonly NodeId[], kept: ReadonlyMap<NodeId, ReadonlySet<NodeId>>): number {
  let widest = 0
  for (const start of nodes) {
    const seen = new Set([start])
    let edge = [start]
    let hops = 0
    for (; edge.length > 0; hops++) {
      edge = edge.flatMap((node) => [...(kept.get(node) ?? [])].filter((next) => !seen.has(next)))
      edge = [...new Set(edge)]
      for (const node of edge) seen.add(node)
    }
    widest = Math.max(widest, seen.size === nodes.length ? hops - 1 : Infinity)
  }
  return widest
}

describe('the links to keep', () => {
  it('[TR20] are all in a room of 13', () => {
    const nodes = someNodes(13)
    for (const node of nodes) expect(keptLinks(node, nodes)).toEqual(new Set(nodes.filter((other) => other !== node)))
  })

  it.each([
    [14, 2],
    [50, 3],
    [200, 4],
    [500, 4],
  ])('[TR20] are 12 or fewer for each of %i, the same at both ends, and lead anywhere in %i', (count, hops) => {
    const nodes = someNodes(count)
    const kept = new Map(nodes.map((node) => [node, keptLinks(node, nodes)]))
    for (const [node, links] of kept) {
      expect(links.size).toBeLessThanOrEqual(KEPT_LINKS)
      for (const other of links) expect(kept.get(other)?.has(node)).toBe(true)
    }
    expect(diameter(nodes, kept)).toBeLessThanOrEqual(hops)
  })

  it('[TR20] hardly change when one comes', () => {
    const nodes = someNodes(100)
    const before = new Map(nodes.map((node) => [node, keptLinks(node, nodes)]))
    const more = [...nodes, ...someNodes(1)]
    const changed = nodes.filter((node) => [...keptLinks(node, more)].some((other) => !before.get(node)?.has(other)))
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.length).toBeLessThanOrEqual(KEPT_LINKS)
  })

  it('[TR20] go past who is not to be had', () => {
    const nodes = someNodes(40)
    const [self] = nodes as [NodeId]
    const avoided = new Set([...keptLinks(self, nodes)].slice(0, 6))
    const kept = keptLinks(self, nodes, avoided)
    expect(kept.size).toBeGreaterThanOrEqual(6)
    for (const node of avoided) expect(kept.has(node)).toBe(false)
  })
})
