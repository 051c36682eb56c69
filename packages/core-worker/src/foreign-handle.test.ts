import { ValueEncoder } from '@shoal/protocol'
import { expect, test, vi } from 'vitest'
import type * as CoreWorkerPackage from './index.ts'

const anotherCopy = async (): Promise<typeof CoreWorkerPackage> => {
  vi.resetModules()
  return import('./index.ts')
}

test('refs, functions and classes of another copy of the SDK are refused by name, wherever they stand', async () => {
  const one = await anotherCopy()
  const two = await anotherCopy()
  expect(one.ObjectRef).not.toBe(two.ObjectRef)
  const api = (copy: typeof one): ReturnType<typeof one.createApi> =>
    copy.createApi({
      core: () => {
        throw new Error('no session')
      },
      moduleScope: () => undefined,
      context: () => {
        throw new Error('no task')
      },
    })
  const { remote, actor } = api(one)
  const ref = new one.ObjectRef({ release: () => undefined }, { owner: '0'.repeat(32) as never, number: 1 })
  const foreign = {
    ObjectRef: ref,
    RemoteFunction: remote(() => 1),
    ActorClass: actor(
      class {
        n = 0
      },
    ),
  }
  const { encodeHooks } = await import('./hooks.ts')
  const encoder = new ValueEncoder(encodeHooks)
  for (const [kind, value] of Object.entries(foreign))
    expect(() => encoder.encode({ deep: [value] }, 'value')).toThrow(
      new TypeError(`this ${kind} belongs to another copy of @shoal/sdk: the page has loaded two`),
    )
  await expect(api(two).get(ref as never)).rejects.toThrow(/^this ObjectRef belongs to another copy/)
  await expect(api(two).get([ref] as never)).rejects.toThrow(/^this ObjectRef belongs to another copy/)
  await expect(api(two).wait([ref] as never)).rejects.toThrow(/^this ObjectRef belongs to another copy/)
})
