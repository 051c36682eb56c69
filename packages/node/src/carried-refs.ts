import type { NodeMessage, ObjectId, TaskArgument } from '@shoal/protocol'

/** Messages that hand references over, by a number in each. */
export type Carrier = NodeMessage & {
  type:
    | 'task.submit'
    | 'task.result'
    | 'task.yielded'
    | 'object.answer'
    | 'actor.create'
    | 'actor.call'
    | 'actor.checkpoint'
}

export function isCarrier(message: NodeMessage): message is Carrier {
  const { type } = message
  return (
    type === 'task.submit' ||
    type === 'task.result' ||
    type === 'task.yielded' ||
    type === 'object.answer' ||
    type === 'actor.create' ||
    type === 'actor.call' ||
    type === 'actor.checkpoint'
  )
}

/** Every reference that a message brings to its receiver. What is inside a value that has to be pulled comes with the pull. */
export function carriedRefs(message: Carrier): readonly ObjectId[] {
  switch (message.type) {
    case 'task.result': {
      const { outcome } = message
      if (outcome.type !== 'values') return NONE
      return outcome.values.flatMap((value) => (value.type === 'inline' ? value.value.refs : NONE))
    }
    case 'task.yielded':
      return message.values.flatMap((value) => (value.type === 'inline' ? value.value.refs : NONE))
    case 'object.answer': {
      const { answer } = message
      return answer.type === 'value' && answer.object.value.type === 'inline' ? answer.object.value.value.refs : NONE
    }
    case 'actor.create': {
      const checkpoint = message.revival?.checkpoint
      return checkpoint === undefined ? argumentRefs(message) : [...argumentRefs(message), ...argumentRefs(checkpoint)]
    }
    default:
      return argumentRefs(message)
  }
}

function argumentRefs({ dependencies, args }: Arguments): readonly ObjectId[] {
  return dependencies.length === 0 ? args.refs : [...args.refs, ...within(dependencies)]
}

type Arguments = Pick<NodeMessage & { type: 'actor.call' }, 'dependencies' | 'args'>

/** Those that user code at the receiver gets to see: inside values, not the arguments themselves, which it sees as values. */
export function exposedRefs(message: Carrier): readonly ObjectId[] {
  const { type } = message
  if (type === 'task.result' || type === 'task.yielded' || type === 'object.answer') return carriedRefs(message)
  const checkpoint = type === 'actor.create' ? message.revival?.checkpoint : undefined
  if (checkpoint !== undefined) return [...exposedArguments(message), ...exposedArguments(checkpoint)]
  return exposedArguments(message)
}

function exposedArguments(message: Arguments): readonly ObjectId[] {
  if (message.dependencies.length === 0) return message.args.refs
  const inside = message.dependencies.flatMap(({ object }) =>
    object.value.type === 'inline' ? object.value.value.refs : NONE,
  )
  return inside.length === 0 ? message.args.refs : [...message.args.refs, ...inside]
}

function within(dependencies: readonly TaskArgument[]): ObjectId[] {
  return dependencies.flatMap(({ object }) =>
    object.value.type === 'inline' ? [object.id, ...object.value.value.refs] : [object.id],
  )
}

const NONE: readonly ObjectId[] = []
