// Tasks by the hundred thousand, in batches whose refs are released before the next one.
import { get, remote } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'

const BATCH = 5_000
const LENT_BATCH = 500

const nothing = remote((n: number) => n)
const countRefs = remote((refs: readonly ObjectRef<number>[]) => {
  for (const ref of refs) ref.release()
  return refs.length
})

/** Nobody but this page sees their refs. */
export async function runMany(count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const refs = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => nothing.remote(from + i))
    const values = await get(refs)
    for (const ref of refs) ref.release()
    if (values.some((value, i) => value !== from + i)) throw new Error('a task returned another task’s value')
  }
}

/** Their refs go to another tab inside an array before they are done, so that each has a record. */
export async function lendMany(count: number): Promise<void> {
  for (let from = 0; from < count; from += LENT_BATCH) {
    const refs = Array.from({ length: Math.min(LENT_BATCH, count - from) }, (_, i) => nothing.remote(from + i))
    using counted = countRefs.remote(refs)
    if ((await get(counted)) !== refs.length) throw new Error('refs are missing')
    await get(refs)
    for (const ref of refs) ref.release()
  }
}
