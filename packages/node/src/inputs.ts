import { messageBytes } from '@shoal/protocol'
import type { EncodedValue, NodeId, PlacedRef, TaskArgument } from '@shoal/protocol'
import { roomBeside } from './message-room.ts'
import type { Objects } from './objects.ts'

/** An argument as placement sees it: how many bytes of it lie with whom. */
interface Input {
  readonly bytes: number
  readonly holders: readonly string[]
}

const NONE: readonly Input[] = []

/** Where the arguments of work lie that are refs, as far as this tab knows. */
export function inputsOf(dependencies: readonly PlacedRef[], objects: Objects, self: NodeId): readonly Input[] {
  if (dependencies.length === 0) return NONE
  const inputs: Input[] = []
  for (const { id } of dependencies) {
    const state = objects.state(id)
    if (state.kind === 'here') inputs.push({ bytes: state.bytes, holders: [self] })
    else if (state.kind === 'elsewhere') inputs.push({ bytes: state.bytes, holders: state.holders })
  }
  return inputs
}

/** Arguments as they go into a message, within what one holds; undefined when one does not exist any more. */
export function argumentsOf(
  objects: Objects,
  dependencies: readonly PlacedRef[],
  args: EncodedValue,
): TaskArgument[] | undefined {
  const list: TaskArgument[] = []
  let room = roomBeside(messageBytes(args), dependencies.length)
  for (const { place, id } of dependencies) {
    const object = objects.toDependency(id, room)
    if (object === undefined) return undefined
    if (object.value.type === 'inline') room -= messageBytes(object.value.value)
    list.push({ place, object })
  }
  return list
}
