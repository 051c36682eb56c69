import type { ActorRevival, EncodedValue, ExecutedCalls, NodeId, ObjectId, PlacedRef } from '@shoal/protocol'
import type { Objects } from '../objects.ts'

/** An actor's state after the call at `position`: what restores it takes these as its arguments. */
export interface Checkpoint {
  readonly position: number
  readonly executed: ExecutedCalls
  readonly dependencies: readonly PlacedRef[]
  readonly args: EncodedValue
}

/** What an actor with checkpoints is made again with, and the nodes that may have calls to be run once more. */
export interface Revival {
  readonly callers: readonly NodeId[]
  readonly checkpoint: Checkpoint | undefined
}

/** Everything that has to stay for the checkpoint's sake. */
export function checkpointRefs(checkpoint: Pick<Checkpoint, 'dependencies' | 'args'> | undefined): ObjectId[] {
  if (checkpoint === undefined) return []
  return [...checkpoint.dependencies.map(({ id }) => id), ...checkpoint.args.refs]
}

type WireCheckpoint = NonNullable<ActorRevival['checkpoint']>

/** As it goes into a message, its object pulled and never inside; undefined when that does not exist any more. */
export function toWire(
  objects: Pick<Objects, 'toDependency'>,
  { position, executed, dependencies, args }: Checkpoint,
): WireCheckpoint | undefined {
  const told: WireCheckpoint['dependencies'][number][] = []
  for (const { place, id } of dependencies) {
    const object = objects.toDependency(id, 0)
    if (object === undefined) return undefined
    told.push({ place, object })
  }
  return { position, executed: [...executed], dependencies: told, args }
}

export function fromWire({ position, executed, dependencies, args }: WireCheckpoint): Checkpoint {
  return { position, executed, args, dependencies: dependencies.map(({ place, object }) => ({ place, id: object.id })) }
}
