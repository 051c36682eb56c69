import { ActorDiedError, GetTimeoutError, TaskPlacementGroupRemovedError } from '@shoal/protocol'
import type { PlacementGroup } from '@shoal/core-worker'
import type { DefineCase } from './case.ts'
import { equals, isTrue, matches, rejection, thrown } from './expectations.ts'

/** Placement groups: Ray's cases 146, 149 and 152, and what work in one may rely on. Rooms with deaths are in a file of their own. */
export function placementGroupCases(it: DefineCase): void {
  it('[SP9] bundles, options and places that can be none are refused by name (Ray 146)', ({ api }) => {
    const { placementGroup, removePlacementGroup, remote, actor } = api
    const bad: [RegExp, unknown, object | undefined, typeof TypeError | typeof RangeError][] = [
      [/bundles must be 1 to/, [], undefined, RangeError],
      [/bundles must be an array/, 'x', undefined, TypeError],
      [/bundles\[0\] must be amounts/, ['x'], undefined, TypeError],
      [/bundles\[1\] must name/, [{ CPU: 1 }, {}], undefined, RangeError],
      [/bundles\[0\].CPU must be more than 0/, [{ CPU: 0 }], undefined, RangeError],
      [/bundles\[0\].GPU must be more than 0/, [{ CPU: 1, GPU: -1 }], undefined, RangeError],
      [/bundles\[0\].CPU .* counted to 0.0001/, [{ CPU: 0.00001 }], undefined, RangeError],
      [/bundles\[0\].CPU must be a number/, [{ CPU: '1' }], undefined, TypeError],
      [/strategy must be PACK, SPREAD, STRICT_PACK, STRICT_SPREAD/, [{ CPU: 1 }], { strategy: 'invalid' }, RangeError],
      [/name/, [{ CPU: 1 }], { name: '' }, RangeError],
      [
        /12000 bytes/,
        Array.from({ length: 128 }, () => ({ ['n'.repeat(80)]: 1, ['m'.repeat(80)]: 1 })),
        undefined,
        RangeError,
      ],
      [/unknown option lifetime/, [{ CPU: 1 }], { lifetime: 'detached' }, TypeError],
    ]
    for (const [message, bundles, options, kind] of bad)
      matches(thrown(() => placementGroup(bundles as never, options as never), kind).message, message)
    matches(thrown(() => removePlacementGroup({} as never), TypeError).message, /takes a PlacementGroup/)
    const group = placementGroup([{ CPU: 1 }, { CPU: 2 }])
    equals([group.bundleCount, group.bundleSpecs], [2, [{ CPU: 1 }, { CPU: 2 }]])
    const fn = remote(() => 1)
    class Empty {}
    const wrong: [RegExp, object, object, typeof TypeError | typeof RangeError][] = [
      [/bundleIndex must be from -1 to 1, got 3/, { bundleIndex: 3 }, {}, RangeError],
      [/bundleIndex must be from -1 to 1, got -2/, { bundleIndex: -2 }, {}, RangeError],
      [/bundleIndex must be from -1 to 1, got 0.5/, { bundleIndex: 0.5 }, {}, RangeError],
      [/captureChildTasks must be true or false/, { captureChildTasks: 1 }, {}, TypeError],
      [/no bundle has what this asks for/, {}, { numCpus: 3 }, RangeError],
      [/no bundle has what this asks for/, { bundleIndex: 0 }, { numCpus: 2 }, RangeError],
      [/no bundle has what this asks for/, {}, { resources: { camera: 1 } }, RangeError],
      [/unknown schedulingStrategy.bundle;/, { bundle: 1 }, {}, TypeError],
    ]
    for (const [message, where, options, kind] of wrong) {
      const schedulingStrategy = { placementGroup: group, ...where }
      matches(thrown(() => fn.options({ ...options, schedulingStrategy }), kind).message, message)
      matches(thrown(() => actor(Empty, { ...options, schedulingStrategy }), kind).message, message)
    }
    for (const placementGroup of [{}, 'g', undefined] as never[])
      matches(
        thrown(() => fn.options({ schedulingStrategy: { placementGroup } }), TypeError).message,
        /placementGroup must be a PlacementGroup or null/,
      )
    removePlacementGroup(group)
    return Promise.resolve()
  })

  it('[SP1] work runs in the bundle that is reserved, and leaves the rest to others', async ({
    api: { placementGroup, removePlacementGroup, remote, get },
  }) => {
    const group = placementGroup([{ CPU: 0.25 }, { CPU: 0.25 }], { name: 'pair' })
    equals(await get(group.ready(), { timeoutMs: 30_000 }), null)
    equals(await group.wait(), true)
    const where = remote({}, ({ context }) => [context().nodeId, context().placementGroupId ?? ''] as const, {
      numCpus: 0.25,
    })
    const inside = (bundleIndex: number): typeof where =>
      where.options({ schedulingStrategy: { placementGroup: group, bundleIndex } })
    const [first, again] = await get([inside(0).remote(), inside(0).remote()])
    equals(first, again)
    const anywhere = await get(Array.from({ length: 6 }, () => inside(-1).remote()))
    for (const [, id] of anywhere) isTrue(id !== '' && id === first[1], `a task in the group ${id}`)
    equals((await get(where.remote()))[1], '')
    removePlacementGroup(group)
    removePlacementGroup(group)
  })

  it(
    '[SP2] one that no tab has room for is pending, and nothing waits for it but its own work (Ray 149)',
    async ({ api: { placementGroup, removePlacementGroup, remote, get, wait } }) => {
      const group = placementGroup([{ CPU: 0.1 }, { NoSuchThing: 1 }])
      equals(await group.wait(300), false)
      equals((await rejection(get(group.ready(), { timeoutMs: 50 }), GetTimeoutError)).code, 'get-timeout')
      const one = remote(() => 1)
      const schedulingStrategy = { placementGroup: group }
      const inside = one.options({ numCpus: 0.1, schedulingStrategy }).remote()
      equals(await get(one.remote()), 1)
      equals(await wait([inside], { timeoutMs: 50 }), [[], [inside]])
      removePlacementGroup(group)
      await rejection(get(inside), TaskPlacementGroupRemovedError)
      await rejection(get(group.ready()), TaskPlacementGroupRemovedError)
      equals(await group.wait(), false)
    },
    { leaves: true },
  )

  it('[SP5] removal ends tasks and actors of the group, running or not', async ({
    api: { placementGroup, removePlacementGroup, remote, actor, get },
  }) => {
    const group = placementGroup([{ CPU: 1 }])
    const schedulingStrategy = { placementGroup: group }
    class Counter {
      n = 0
      add(): number {
        return ++this.n
      }
    }
    equals(await group.wait(), true)
    using counter = actor(Counter, { numCpus: 0, maxRestarts: -1, schedulingStrategy }).remote()
    equals(await get(counter.add.remote()), 1)
    const never = remote({}, () => new Promise<void>((resolve) => setTimeout(resolve, 600_000)), { schedulingStrategy })
    const [runs, waits] = [never.remote(), never.remote()]
    removePlacementGroup(group)
    for (const ref of [runs, waits]) await rejection(get(ref), TaskPlacementGroupRemovedError)
    await rejection(get(counter.add.remote()), ActorDiedError)
    const late = await rejection(get(never.remote()), TaskPlacementGroupRemovedError)
    matches(late.message, /placement group .* was removed/)
  })

  it('[SP6] a handle can be handed on, and children that are captured stay inside', async ({
    api: { placementGroup, removePlacementGroup, remote, get },
  }) => {
    const group = placementGroup([{ CPU: 0.5 }])
    equals(await group.wait(), true)
    const child = remote({}, ({ context }) => context().placementGroupId ?? 'outside', { numCpus: 0.1 })
    const parent = remote({ child }, async ({ child, get, context }, pg: PlacementGroup | null = null) => {
      const escaped = child.options({ numCpus: 0, schedulingStrategy: 'DEFAULT' })
      const given = pg && child.options({ schedulingStrategy: { placementGroup: pg, bundleIndex: 0 } })
      const isReady = pg && (await pg.wait(30_000))
      const ids = await get([child.remote(), escaped.remote(), (given ?? child).remote()])
      const own = context().placementGroupId ?? 'outside'
      return { own, isReady, ids: ids.map((id) => (id === 'outside' ? id : id === own ? 'own' : 'other')) }
    })
    const captured = { placementGroup: group, captureChildTasks: true }
    const inside = await get(parent.options({ numCpus: 0.1, schedulingStrategy: captured }).remote())
    equals([inside.own === 'outside', inside.ids], [false, ['own', 'outside', 'own']])
    const handed = await get(parent.options({ numCpus: 0 }).remote(group))
    equals(handed, { own: 'outside', isReady: true, ids: ['outside', 'outside', 'other'] })
    const free = await get(parent.options({ numCpus: 0.1, schedulingStrategy: { placementGroup: group } }).remote())
    equals(free.ids.slice(0, 2), ['outside', 'outside'])
    removePlacementGroup(group)
  })
}
