import type { DefineCase } from './case.ts'
import { TaskUnschedulableError } from '@shoal/protocol'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

/** Resources and where tasks go: Ray's cases 4, 28, 29 and 31. */
export function resourceCases(it: DefineCase): void {
  it('[ST9] what is reserved is counted to 0.0001, and nothing else is taken (Ray 29, 31)', ({
    api: { remote, actor },
  }) => {
    const fn = remote(() => 1)
    class Empty {}
    const bad: [string, object, typeof TypeError | typeof RangeError][] = [
      ['Custom', { resources: { Custom: -1 } }, RangeError],
      ['Custom', { resources: { Custom: 0.00001 } }, RangeError],
      ['Custom', { resources: { Custom: '1' } }, TypeError],
      ['CPU', { resources: { CPU: 1 } }, Error as unknown as typeof TypeError],
      ['GPU', { resources: { GPU: 1 } }, Error as unknown as typeof TypeError],
      ['numGpus', { numGpus: 1.5 }, RangeError],
      ['numGpus', { numGpus: -1 }, RangeError],
      ['memoryBytes', { memoryBytes: -1 }, RangeError],
      ['schedulingStrategy', { schedulingStrategy: 'XXX' }, Error as unknown as typeof TypeError],
      ['schedulingStrategy', { schedulingStrategy: { nodeId: 'here' } }, RangeError],
      ['labelSelector', { labelSelector: { region: 7 } }, TypeError],
      ['placementGroup', { placementGroup: {} }, TypeError],
    ]
    for (const [name, options, kind] of bad) {
      matches(thrown(() => fn.options(options), kind).message, new RegExp(name))
      matches(thrown(() => actor(Empty, options), kind).message, new RegExp(name))
    }
    return Promise.resolve()
  })

  it(
    '[ST10] a task that no tab can take waits, and that is no error (Ray 4)',
    async ({ api: { remote, wait, get } }) => {
      const one = remote(() => 1)
      const ref = one.options({ resources: { NoSuchThing: 1 } }).remote()
      equals(await wait([ref], { timeoutMs: 50 }), [[], [ref]])
      // It stands in nobody's way.
      equals(await get(one.remote()), 1)
      equals(await wait([ref], { timeoutMs: 0 }), [[], [ref]])
    },
    { leaves: true },
  )

  it(
    '[ST11] what is reserved is never more than there is, in fractions too (Ray 29)',
    async ({ api: { remote, actor, get, wait } }) => {
      class Holder {
        ping(): string {
          return 'here'
        }
      }
      const holder = actor(Holder, { resources: { Custom: 2.7 }, numCpus: 0 }).remote()
      equals(await get(holder.ping.remote()), 'here')
      const one = remote(() => 1, { numCpus: 0 })
      const tooMuch = one.options({ resources: { Custom: 0.7 } }).remote()
      equals(await wait([tooMuch], { timeoutMs: 500 }), [[], [tooMuch]])
      const fits = Array.from({ length: 20 }, () => one.options({ resources: { Custom: 0.3 } }).remote())
      equals(
        await get(fits),
        Array.from({ length: 20 }, () => 1),
      )
      equals(await wait([tooMuch], { timeoutMs: 0 }), [[], [tooMuch]])
    },
    { resources: { Custom: 3 }, leaves: true, isSimulatedOnly: true },
  )

  it('[ST16] a task runs in the tab that it names; a soft name is a wish (Ray 145)', async ({
    api: { remote, get },
    tabs,
  }) => {
    const where = remote({}, ({ context }) => context().nodeId, { name: 'where' })
    const spread = remote(
      {},
      async ({ context }) => {
        await new Promise((resolve) => setTimeout(resolve, 50))
        return context().nodeId
      },
      { schedulingStrategy: 'SPREAD' },
    )
    const nodes = [...new Set(await get(Array.from({ length: 4 * tabs }, () => spread.remote())))]
    for (const nodeId of nodes) equals(await get(where.options({ schedulingStrategy: { nodeId } }).remote()), nodeId)
    const nodeId = '0'.repeat(32)
    const wish = where.options({ schedulingStrategy: { nodeId, soft: true } })
    isTrue(nodes.includes(await get(wish.remote())), 'a soft name of nobody')
    const error = await rejection(
      get(where.options({ schedulingStrategy: { nodeId } }).remote()),
      TaskUnschedulableError,
    )
    equals(error.details.nodeId, nodeId)
  })

  it('[ST12] SPREAD goes to every tab that has room', async ({ api: { remote, get }, tabs }) => {
    const where = remote(
      {},
      async ({ context }) => {
        await new Promise((resolve) => setTimeout(resolve, 50))
        return context().nodeId
      },
      { schedulingStrategy: 'SPREAD' },
    )
    const nodes = new Set(await get(Array.from({ length: 8 * tabs }, () => where.remote())))
    // A driver without slots of its own runs none.
    isTrue(nodes.size === tabs || nodes.size === tabs - 1, `tasks on ${nodes.size} of ${tabs} tabs`)
  })
}
