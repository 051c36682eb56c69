import { argumentFailed } from '@shoal/protocol'
import type { PlacedRef, WireError } from '@shoal/protocol'
import type { Objects } from './objects.ts'

/** Calls back once all arguments exist, or with the error of one of them. */
export function whenArguments(
  objects: Pick<Objects, 'whenKnown' | 'told'>,
  dependencies: readonly PlacedRef[],
  name: string,
  callback: (error: WireError | undefined) => void,
): void {
  let missing = dependencies.length
  if (missing === 0) {
    callback(undefined)
    return
  }
  for (const { id, place } of dependencies)
    objects.whenKnown(id, (state) => {
      if (missing <= 0) return
      if (state.kind === 'failed') {
        missing = 0
        // Whoever waits for what needed it is told.
        objects.told(state.error)
        callback(argumentFailed(state.error, place, name))
      } else if (--missing === 0) callback(undefined)
    })
}
