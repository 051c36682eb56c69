import { seededRandom } from '@shoal/base'
import { randomNodeId } from '@shoal/protocol'
import type { LinkState, NodeId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { LinkMap } from './link-map.ts'

const random = seededRandom(1)
const [self, a, b, c, d] = Array.from({ length: 5 }, () => randomNodeId(random)) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
]

type Words = readonly (readonly [NodeId, LinkState, number?])[]

function mapOf(own: Words, reports: readonly (readonly [NodeId, Words, number?])[]): LinkMap {
  const map = new LinkMap(self, 1)
  for (const [node, state, session = 1] of own) map.say(node, { session, state })
  for (const [node, words, session = 1] of reports) {
    const links = new Map(words.map(([of, state, at = 1]) => [of, { session: at, state }]))
    map.take(node, { session, version: 1, links })
  }
  return map
}

const reached = (map: LinkMap): NodeId[] => [...map.ways().keys()]
const accused = (map: LinkMap): NodeId[] => [...map.accused(map.ways()).keys()]

describe('the map of links', () => {
  it('[TR18] finds the shortest way, and the one that leaves a link out', () => {
    const map = mapOf(
      [
        [a, 'linked'],
        [b, 'linked'],
      ],
      [
        [
          a,
          [
            [b, 'linked'],
            [c, 'linked'],
          ],
        ],
        [b, [[d, 'linked']]],
        [c, [[d, 'linked']]],
        [d, []],
      ],
    )
    expect(map.ways().get(d)).toEqual({ session: 1, first: b, hops: 2 })
    expect(map.ways(b).get(d)).toEqual({ session: 1, first: a, hops: 3 })
    expect(map.ways(b).get(b)?.first).toBe(a)
  })

  it('[M1] two that vouch for each other hang on nobody', () => {
    const map = mapOf(
      [[a, 'linked']],
      [
        [a, []],
        [c, [[d, 'linked']]],
        [d, [[c, 'linked']]],
      ],
    )
    expect(reached(map)).toEqual([a])
  })

  it('[TR8] believes a session when its own key reported it, not when others list it', () => {
    const map = mapOf(
      [[a, 'linked']],
      [
        [a, [[b, 'linked', 9]]],
        [b, [], 1],
      ],
    )
    expect(reached(map)).toEqual([a])
    const late = mapOf(
      [[a, 'linked']],
      [
        [a, [[b, 'linked', 9]]],
        [b, [], 9],
      ],
    )
    expect(late.ways().get(b)?.session).toBe(9)
  })

  it('[TR18] does not go on from what an earlier session said', () => {
    const map = mapOf(
      [[a, 'linked', 2]],
      [
        [a, [[b, 'linked']], 1],
        [b, []],
      ],
    )
    expect(reached(map)).toEqual([a])
  })

  it('[M2] accuses nobody whom anybody on a way hears, or still waits for', () => {
    const silent: Words = [[d, 'silent']]
    expect(
      accused(
        mapOf(
          [[a, 'linked'], ...silent],
          [
            [a, [[d, 'linked']]],
            [d, []],
          ],
        ),
      ),
    ).toEqual([])
    expect(accused(mapOf([[a, 'linked'], ...silent], [[a, [[d, 'lost']]]]))).toEqual([])
    expect(accused(mapOf([[a, 'linked'], ...silent], [[a, silent]]))).toEqual([d])
    // Somebody to whom no way leads has no vote, for or against.
    expect(
      accused(
        mapOf(
          [[a, 'linked'], ...silent],
          [
            [a, []],
            [c, [[d, 'linked']]],
            [d, []],
          ],
        ),
      ),
    ).toEqual([d])
    expect(
      accused(
        mapOf(
          [[a, 'linked']],
          [
            [a, []],
            [c, silent],
          ],
        ),
      ),
    ).toEqual([])
  })

  it('[M1] takes a goodbye from whoever heard it, though others still hear the node', () => {
    const map = mapOf(
      [
        [a, 'linked'],
        [b, 'linked'],
      ],
      [
        [a, [[d, 'goodbye']]],
        [b, [[d, 'linked']]],
        [d, []],
      ],
    )
    expect(accused(map)).toEqual([d])
  })

  it('[M3] who waits for an earlier session does not keep the later one', () => {
    const map = mapOf(
      [
        [a, 'linked'],
        [d, 'silent', 2],
      ],
      [[a, [[d, 'lost', 1]]]],
    )
    expect(map.accused(map.ways()).get(d)).toEqual({ session: 2, why: 'silent' })
  })
})
