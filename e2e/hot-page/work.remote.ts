import { actor, get, remote } from '@shoal/sdk'
import type { ActorHandle } from '@shoal/sdk'
import { VERSION } from './version.ts'

export const version = remote(() => VERSION)

class GateState {
  #isOpen = false
  open(): void {
    this.#isOpen = true
  }
  isOpen(): boolean {
    return this.#isOpen
  }
  version(): string {
    return VERSION
  }
}

export const Gate = actor(GateState)

/** Goes on until the gate is open, and then says which version it is and which one it starts. */
export const waiting = remote(async (gate: ActorHandle<GateState>): Promise<string> => {
  while (!(await get(gate.isOpen.remote())));
  return `${VERSION} ${await get(version.remote())}`
})

export const fail = remote(() => {
  throw new RangeError(`of version ${VERSION}`)
})
