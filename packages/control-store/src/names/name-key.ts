import { compareObjectIds } from './object-order.ts'
import { ByteReader, LIMITS, nameRecord } from '@shoal/protocol'
import type { ActorId, NodeId } from '@shoal/protocol'
import type { Directory } from '../directory/directory.ts'

/** An actor's name as users give it. */
export interface ActorName {
  readonly namespace: string
  readonly name: string
}

/** Where the directory keeps the records of a name's holders. */
export function namePrefix({ namespace, name }: ActorName): string {
  return `name/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/`
}

/** @throws RangeError when no directory key can hold the name. */
export function refuseBadName(name: ActorName): void {
  if (name.name === '' || /\p{Surrogate}/u.test(name.namespace + name.name))
    throw new RangeError('the name of an actor is empty or no text')
  // The writer's id, 32 digits, follows.
  if (namePrefix(name).length + 32 > LIMITS.nameBytes)
    throw new RangeError(`the name ${JSON.stringify(name.name.slice(0, 40))} and its namespace are too long`)
}

/** Who holds the name, as far as this node knows. */
export function findName(directory: Pick<Directory, 'entries'>, name: ActorName): ActorId | undefined {
  let lowest: ActorId | undefined
  for (const [, { body }] of directory.entries(namePrefix(name))) {
    const actor = actorIn(body)
    if (actor && (lowest === undefined || compareObjectIds(actor, lowest) < 0)) lowest = actor
  }
  return lowest
}

export function nameRecordKey(name: ActorName, holder: NodeId): string {
  return namePrefix(name) + holder
}

/** Writers are entitled to their records, not to be understood. */
function actorIn(body: Uint8Array<ArrayBuffer>): ActorId | undefined {
  try {
    return nameRecord.read(new ByteReader(body)).actor
  } catch {
    return undefined
  }
}
