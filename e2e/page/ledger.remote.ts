// Tasks whose refs others hold when their tab goes: what they put, and what they submit to other tabs.
import { context, get, put, remote } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { at } from './at.ts'
import { madeBytes } from './content.ts'

export interface Ran {
  readonly name: string
  readonly nodeId: string
  readonly attempt: number
}

/** Says on its driver's console that it runs, and is done after a while without using a core. */
export const nap = remote(async (name: string, ms: number): Promise<Ran> => {
  console.log(`runs ${name}`)
  await new Promise((resolve) => setTimeout(resolve, ms))
  const { nodeId, attempt } = context()
  return { name, nodeId, attempt }
})

export interface Child {
  readonly name: string
  readonly place: string
  readonly ms: number
}

export interface Made {
  readonly small: readonly ObjectRef<string>[]
  readonly large: ObjectRef<Uint8Array>
  readonly children: readonly ObjectRef<Ran>[]
}

/** Its tab owns everything that it gives back refs to. */
export const makeHere = remote((values: number, bytes: number, children: readonly Child[]): Made => ({
  small: Array.from({ length: values }, (_, index) => put(`value ${index}`)),
  large: put(madeBytes(3, bytes)),
  children: children.map(({ name, place, ms }) => nap.options(at(place)).remote(name, ms)),
}))

/** Is there as long as its child is, which runs elsewhere. */
export const waitsFor = remote(async ({ name, place, ms }: Child): Promise<Ran> =>
  get(nap.options(at(place)).remote(name, ms)),
)
