import type { ActorId, NodeId, NodeMessage, Session } from '@shoal/protocol'
import { byRendezvous } from '../rendezvous.ts'
import { NameHome } from './name-home.ts'
import type { HomeEffect } from './name-home.ts'
import { nameKey } from './name-key.ts'
import type { ActorName } from './name-key.ts'
import { compareObjectIds } from './object-order.ts'

/** What others can make us keep. */
const MAX_HOMES = 4_096
const MAX_WAITING_CLAIMS = 1_024
const MAX_EARLY = 1_024

export type NameMessage = Extract<NodeMessage, { readonly type: `name.${string}` }>

export type NameEffect =
  | { readonly type: 'send'; readonly to: NodeId; readonly message: NameMessage }
  | { readonly type: 'won'; readonly name: ActorName; readonly actor: ActorId }
  | { readonly type: 'taken'; readonly name: ActorName; readonly actor: ActorId; readonly holder: ActorId }
  /** The name was won once, and is another's after a partition. */
  | { readonly type: 'lost'; readonly name: ActorName; readonly actor: ActorId; readonly winner: ActorId }

/** A claim of ours. It counts at one home only, that of our present view, and an answer of any other means nothing. */
interface Claim {
  readonly name: ActorName
  readonly actor: ActorId
  number: number
  isHeld: boolean
  /** The life that it was sent to. */
  home: string
}

/**
 * Names of actors on one node: its own claims, and the names whose home it is. Pure: messages, views and claims in,
 * effects out.
 *
 *   claimed --answer of its home--> won --`name.lost`, or released--> over
 *                               --> taken: over
 *   any change of the home, or of the home's session: claimed, or told as held, again
 *
 * A home answers a name's first claim after every live node has reported what it holds, and a node reports to the home of
 * its own view only; having reported, it heeds no other. So two homes of one name that see each other never both give it
 * away. Two that do not see each other may: the one home that is left after they meet tells the higher actor's owner.
 * It needs messages between live sessions once and in order, and knows nothing of the directory.
 */
export class NameMachine {
  readonly #self: NodeId
  readonly #claims = new Map<string, Claim>()
  readonly #homes = new Map<string, { readonly name: ActorName; readonly home: NameHome }>()
  /** Claims and asks that are for us or due from us in the sender's view, and not yet in ours. */
  readonly #early = new Map<string, { readonly from: NodeId; readonly message: NameMessage }>()
  #view: ReadonlyMap<NodeId, Session>
  #lastNumber = 0

  constructor(self: NodeId, session: Session) {
    this.#self = self
    this.#view = new Map([[self, session]])
  }

  /** Names that we hold. */
  held(): readonly ActorName[] {
    return [...this.#claims.values()].filter(({ isHeld }) => isHeld).map(({ name }) => name)
  }

  holds(name: ActorName, actor: ActorId): boolean {
    return this.#claims.get(claimKey(name, actor))?.isHeld === true
  }

  /** Answered by exactly one of won and taken. The same actor does not claim the same name twice at a time. */
  claim(name: ActorName, actor: ActorId): NameEffect[] {
    const key = claimKey(name, actor)
    if (this.#claims.has(key)) return []
    const claim: Claim = { name, actor, number: 0, isHeld: false, home: '' }
    this.#claims.set(key, claim)
    return this.#sendClaim(claim)
  }

  /** Also for a claim that waits: it is answered no more. */
  release(name: ActorName, actor: ActorId): NameEffect[] {
    const claim = this.#claims.get(claimKey(name, actor))
    if (claim === undefined) return []
    this.#claims.delete(claimKey(name, actor))
    return this.#say(this.#homeOf(name), { type: 'name.release', ...nameOf(name), claim: claim.number })
  }

  /** Who lives, ourselves included, each with its session. */
  members(view: ReadonlyMap<NodeId, Session>): NameEffect[] {
    const before = this.#view
    this.#view = new Map(view)
    const effects: NameEffect[] = []
    const isSame = (node: NodeId): boolean => before.get(node) === view.get(node)
    // Another life of ours: nobody knows what we said in the last one.
    if (!isSame(this.#self)) this.#homes.clear()
    const left = [...before.keys()].filter((node) => !isSame(node))
    const came = [...view.keys()].filter((node) => !isSame(node))
    for (const [key, { name, home }] of [...this.#homes]) {
      if (this.#homeOf(name) !== this.#self) {
        this.#homes.delete(key)
        // Whoever never sees the other home does not claim again: these count if the name comes back.
        for (const { from, ...claim } of home.queued)
          this.#keepForLater(from, { type: 'name.claim', ...nameOf(name), ...claim })
      } else {
        for (const node of came) effects.push(...this.#homeEffects(name, home.came(node)))
        for (const node of left) if (node !== this.#self) effects.push(...this.#homeEffects(name, home.left(node)))
      }
    }
    for (const claim of this.#claims.values())
      if (!isSame(this.#self) || claim.home !== this.#lifeOf(this.#homeOf(claim.name)))
        effects.push(...this.#sendClaim(claim))
    for (const [key, { from, message }] of [...this.#early]) {
      this.#early.delete(key)
      // What an earlier life of its sender said is over with it.
      if (isSame(from) || !before.has(from)) effects.push(...this.receive(from, message))
    }
    this.#dropIdle()
    return effects
  }

  receive(from: NodeId, message: NameMessage): NameEffect[] {
    const effects = this.#receive(from, message)
    this.#dropIdle()
    return effects
  }

  #receive(from: NodeId, message: NameMessage): NameEffect[] {
    const name = nameOf(message)
    // A session that our view does not have yet speaks again once it has us in its own; one that is over never.
    if (!this.#view.has(from)) return this.#keepForLater(from, message)
    switch (message.type) {
      case 'name.claim': {
        if (this.#homeOf(name) !== this.#self) return this.#keepForLater(from, message)
        const { actor, claim, isHeld } = message
        return this.#at(name, (home) => home.claim({ from, actor, claim, isHeld }, this.#others()))
      }
      case 'name.release':
        this.#early.delete(`${from} claim ${nameKey(name)} ${message.claim}`)
        return this.#atKnown(name, (home) => home.release(from, message.claim))
      case 'name.ask':
        if (this.#homeOf(name) !== from) return this.#keepForLater(from, message)
        return this.#report(name, message.round)
      case 'name.report': {
        const { actor, claim } = message
        return this.#atKnown(name, (home) => home.report(from, message.round, actor && { actor, claim }))
      }
      case 'name.answer':
        return this.#answered(from, message)
      case 'name.lost': {
        const claim = this.#claims.get(claimKey(name, message.actor))
        if (claim?.isHeld !== true || claim.home !== this.#lifeOf(from)) return []
        this.#claims.delete(claimKey(name, message.actor))
        return [{ type: 'lost', name, actor: message.actor, winner: message.winner }]
      }
    }
  }

  #answered(from: NodeId, message: Extract<NameMessage, { type: 'name.answer' }>): NameEffect[] {
    const name = nameOf(message)
    const claim = [...this.#claims.values()].find((own) => own.number === message.claim)
    const isOurs = claim !== undefined && !claim.isHeld && nameKey(claim.name) === nameKey(name)
    if (!isOurs || claim.home !== this.#lifeOf(from))
      // It must not keep the name for somebody who never heard of it.
      return this.#say(from, { type: 'name.release', ...name, claim: message.claim })
    const { actor } = claim
    if (compareObjectIds(message.holder, actor) === 0) {
      claim.isHeld = true
      return [{ type: 'won', name, actor }]
    }
    this.#claims.delete(claimKey(name, actor))
    return [{ type: 'taken', name, actor, holder: message.holder }]
  }

  #sendClaim(claim: Claim): NameEffect[] {
    const home = this.#homeOf(claim.name)
    claim.number = ++this.#lastNumber
    claim.home = this.#lifeOf(home)
    const { name, actor, number, isHeld } = claim
    return this.#say(home, { type: 'name.claim', ...nameOf(name), actor, claim: number, isHeld })
  }

  #report(name: ActorName, round: number): NameEffect[] {
    const prefix = nameKey(name)
    const held = [...this.#claims.values()].find((claim) => claim.isHeld && nameKey(claim.name) === prefix)
    const report = { round, actor: held?.actor, claim: held?.number ?? 0 }
    return this.#say(this.#homeOf(name), { type: 'name.report', ...nameOf(name), ...report })
  }

  #at(name: ActorName, use: (home: NameHome) => HomeEffect[]): NameEffect[] {
    const key = nameKey(name)
    let known = this.#homes.get(key)
    if (known === undefined) {
      if (this.#homes.size >= MAX_HOMES) return []
      known = { name: nameOf(name), home: new NameHome(MAX_WAITING_CLAIMS, () => ++this.#lastNumber) }
      this.#homes.set(key, known)
      const { home } = known
      // The claim that began it has to wait for the reports.
      return this.#homeEffects(name, [...home.gather(this.#others()), ...use(home)])
    }
    return this.#homeEffects(name, use(known.home))
  }

  #atKnown(name: ActorName, use: (home: NameHome) => HomeEffect[]): NameEffect[] {
    const known = this.#homes.get(nameKey(name))
    return known === undefined ? [] : this.#homeEffects(name, use(known.home))
  }

  #homeEffects(name: ActorName, effects: readonly HomeEffect[]): NameEffect[] {
    const of = nameOf(name)
    return effects.flatMap((effect) => {
      switch (effect.type) {
        case 'ask':
          return this.#say(effect.to, { type: 'name.ask', ...of, round: effect.round })
        case 'answer':
          return this.#say(effect.to, { type: 'name.answer', ...of, holder: effect.holder, claim: effect.claim })
        case 'lost':
          return this.#say(effect.to, { type: 'name.lost', ...of, actor: effect.actor, winner: effect.winner })
      }
    })
  }

  /** What we say to ourselves is heard at once. */
  #say(to: NodeId, message: NameMessage): NameEffect[] {
    return to === this.#self ? this.#receive(to, message) : [{ type: 'send', to, message }]
  }

  #keepForLater(from: NodeId, message: NameMessage): NameEffect[] {
    if (message.type !== 'name.claim' && message.type !== 'name.ask') return []
    const detail = message.type === 'name.claim' ? `claim ${nameKey(message)} ${message.claim}` : nameKey(message)
    this.#early.set(`${from} ${detail}`, { from, message })
    const oldest = this.#early.keys().next()
    if (this.#early.size > MAX_EARLY && !oldest.done) this.#early.delete(oldest.value)
    return []
  }

  #dropIdle(): void {
    for (const [key, { home }] of this.#homes) if (home.isIdle) this.#homes.delete(key)
  }

  /** All whose reports a home needs: itself too, and so is asked like everybody. */
  #others(): Iterable<NodeId> {
    return this.#view.keys()
  }

  #homeOf(name: ActorName): NodeId {
    return byRendezvous(nameKey(name), this.#view.keys())[0] ?? this.#self
  }

  #lifeOf(node: NodeId): string {
    return `${node}/${this.#view.get(node)}`
  }
}

function nameOf({ namespace, name }: ActorName): ActorName {
  return { namespace, name }
}

function claimKey(name: ActorName, actor: ActorId): string {
  return `${nameKey(name)} ${actor.owner} ${actor.number}`
}
