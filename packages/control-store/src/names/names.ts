import type { ActorId, NodeId, NodeMessage, Session } from '@shoal/protocol'
import type { Log } from '@shoal/base'
import type { Directory } from '../directory/directory.ts'
import { nameKey, refuseBadName } from './name-key.ts'
import type { ActorName } from './name-key.ts'
import { NameMachine } from './name-machine.ts'
import type { NameEffect, NameMessage } from './name-machine.ts'
import { NameRecords } from './name-records.ts'

/** What became of a claim. */
export type NameOutcome = { readonly type: 'won' } | { readonly type: 'taken'; readonly holder: ActorId }

export interface NamesOptions {
  readonly self: NodeId
  readonly session: Session
  readonly log: Log
  readonly directory: Pick<Directory, 'set' | 'entries' | 'subscribe'>
  readonly send: (to: NodeId, message: NodeMessage) => void
  /** A name that was won is another's, after a partition. */
  readonly onLost: (name: ActorName, actor: ActorId, winner: ActorId) => void
}

/** Names of actors on one node: the machine with its messages, and the records by which everybody finds a name. */
export interface Names {
  /** @throws RangeError for a name that no record can hold. Rejects when it is released before it is answered. */
  claim(name: ActorName, actor: ActorId): Promise<NameOutcome>
  release(name: ActorName, actor: ActorId): void
  /** Who holds the name, as the directory has it here. */
  find(name: ActorName): ActorId | undefined
  /** Who lives, ourselves included. */
  members(view: ReadonlyMap<NodeId, Session>): void
  /** True when the message was about names. */
  receive(from: NodeId, message: NodeMessage): boolean
}

interface Waiting {
  readonly name: ActorName
  readonly actor: ActorId
  readonly settle: (outcome: NameOutcome) => void
  readonly fail: (error: Error) => void
}

export function createNames(options: NamesOptions): Names {
  const machine = new NameMachine(options.self, options.session)
  const records = new NameRecords(options)
  const waiting = new Set<Waiting>()

  function waitingFor(name: ActorName, actor: ActorId): Waiting | undefined {
    const key = nameKey(name)
    return [...waiting].find(
      (other) =>
        nameKey(other.name) === key && other.actor.number === actor.number && other.actor.owner === actor.owner,
    )
  }

  function settle(name: ActorName, actor: ActorId, outcome: NameOutcome): void {
    const found = waitingFor(name, actor)
    if (found === undefined) return
    waiting.delete(found)
    found.settle(outcome)
  }

  function apply(effects: readonly NameEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          options.send(effect.to, effect.message)
          break
        case 'won':
          records.hold(effect.name, effect.actor)
          settle(effect.name, effect.actor, { type: 'won' })
          break
        case 'taken':
          settle(effect.name, effect.actor, { type: 'taken', holder: effect.holder })
          break
        case 'lost':
          records.release(effect.name)
          options.onLost(effect.name, effect.actor, effect.winner)
          break
      }
    }
  }

  return {
    claim(name, actor) {
      refuseBadName(name)
      return new Promise((resolve, reject) => {
        waiting.add({ name, actor, settle: resolve, fail: reject })
        apply(machine.claim(name, actor))
      })
    },
    release(name, actor) {
      const isHeld = machine.holds(name, actor)
      apply(machine.release(name, actor))
      if (isHeld) records.release(name)
      const found = waitingFor(name, actor)
      if (found === undefined) return
      waiting.delete(found)
      found.fail(new Error(`the name ${name.name} was given back before its claim was answered`))
    },
    find: (name) => records.find(name),
    members: (view) => apply(machine.members(view)),
    receive(from, message) {
      if (!isNameMessage(message)) return false
      apply(machine.receive(from, message))
      return true
    },
  }
}

function isNameMessage(message: NodeMessage): message is NameMessage {
  return message.type.startsWith('name.')
}
