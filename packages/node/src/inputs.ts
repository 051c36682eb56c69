import type { NodeId, PlacedRef } from '@shoal/protocol'
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
