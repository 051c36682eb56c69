import { FIRST_ATTEMPT, parseNodeId } from '@shoal/protocol'
import type { Attempt, NodeId, NodeMessage } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { ActorPlaces } from './actor-places.ts'

const node = (pair: string): NodeId => parseNodeId(pair.repeat(16))
const [self, owner, host, successor] = [node('aa'), node('bb'), node('cc'), node('dd')] as const
const actor = { owner, number: 7 }

/** This node asks `answers.is`, who answers for the actor's owner. */
function open(): { places: ActorPlaces; answers: { is: NodeId }; sent: NodeMessage['type'][] } {
  const answers = { is: owner }
  const sent: NodeMessage['type'][] = []
  const places = new ActorPlaces({
    self,
    objects: { isKnown: () => true },
    send: (_to, { type }) => sent.push(type),
    canReach: () => true,
    answerer: () => answers.is,
    knowsAll: () => false,
    unanswered: () => undefined,
  })
  return { places, answers, sent }
}

const alive = (incarnation: Attempt, at = host) =>
  ({ type: 'actor.place', actor, incarnation, place: { type: 'alive', node: at }, facts: undefined }) as const

it('[A1] what is told of an incarnation before the one that was accepted changes nothing, by a later answerer too', () => {
  const { places, answers, sent } = open()
  const seen: Attempt[] = []
  const follow = (past: Attempt | undefined): void =>
    places.when(actor, past, (_place, incarnation) => {
      seen.push(incarnation)
      follow(incarnation)
    })
  follow(undefined)
  expect(sent).toEqual(['actor.want'])
  const [first, second, third] = [FIRST_ATTEMPT, { epoch: 0, number: 3 }, { epoch: 1, number: 0 }]
  for (const incarnation of [second, first, second]) places.onPlace(owner, alive(incarnation))
  answers.is = successor
  places.moved(owner)
  // Its number is lower, and its epoch is not.
  places.onPlace(successor, alive(third, successor))
  for (const incarnation of [second, first]) places.onPlace(successor, alive(incarnation))
  places.onPlace(owner, alive({ epoch: 9, number: 9 }))
  expect(seen).toEqual([second, third])
  expect(places.of(actor)).toEqual({ kind: 'alive', node: successor })
})
