import { LIMITS } from '@shoal/protocol'

/** An actor's name as users give it. */
export interface ActorName {
  readonly namespace: string
  readonly name: string
}

/** Equal for equal names alone; what a name's home is the rendezvous hash of. */
export function nameKey({ namespace, name }: ActorName): string {
  return `name/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`
}

/** @throws RangeError when no record can hold the name. */
export function refuseBadName({ namespace, name }: ActorName): void {
  if (name === '' || /\p{Surrogate}/u.test(namespace + name))
    throw new RangeError('the name of an actor is empty or no text')
  const isLong = (text: string): boolean => new TextEncoder().encode(text).length > LIMITS.nameBytes
  if (isLong(name)) throw new RangeError(`the name ${JSON.stringify(name.slice(0, 40))}… is too long`)
  if (isLong(namespace)) throw new RangeError(`the namespace ${JSON.stringify(namespace.slice(0, 40))}… is too long`)
}
