import type { DefineCase } from './case.ts'
import { equals, isTrue } from './expectations.ts'

/** What the room does, asked from inside of tasks and actors, as in Ray. Pages have their own tests. */
export function stateCases(it: DefineCase): void {
  it('[SQ5] a task finds itself, its children and the room’s tabs', async ({ api: { get, remote }, tabs }) => {
    const child = remote((n: number) => n + 1, { name: 'child' })
    const looks = remote(
      { child },
      async ({ child, context, get, ...sdk }) => {
        const { taskId = '' } = context()
        const ref = child.remote(1)
        await get(ref)
        const nodes = await sdk.nodes()
        const [all, free] = [await sdk.clusterResources(), await sdk.availableResources()]
        const [own, ended] = [await sdk.getTaskState(taskId), await sdk.getTaskState(ref)]
        const { rows, missing } = await sdk.listTasks({ filters: [['taskId', '=', taskId]] })
        const summary = await sdk.summarizeTasks({ filters: [['name', '=', 'child']] })
        ref.release()
        return {
          own: [own?.name, own?.state],
          child: [ended?.name, ended?.state, ended?.parentTaskId === taskId],
          listed: rows.map(({ name }) => name),
          missing,
          nodes: nodes.length,
          selves: nodes.filter(({ isSelf, nodeId }) => isSelf && nodeId === context().nodeId).length,
          isTaken: (all['CPU'] ?? 0) > (free['CPU'] ?? 0),
          summary: summary.rows.map(({ stateCounts }) => stateCounts),
          unknown: (await sdk.getTaskState(`${context().nodeId}/999`)) === undefined,
        }
      },
      { name: 'looks' },
    )
    equals(await get(looks.remote()), {
      own: ['looks', 'RUNNING'],
      child: ['child', 'FINISHED', true],
      listed: ['looks'],
      missing: [],
      nodes: tabs,
      selves: 1,
      isTaken: true,
      summary: [{ FINISHED: 1 }],
      unknown: true,
    })
  })

  it('[SQ5] an actor finds itself and what is put', async ({ api: { actor, get, put } }) => {
    const Looks = actor({}, ({ context, ...sdk }) => {
      return class {
        async self(): Promise<unknown> {
          const { actorId = '', nodeId, workerId } = context()
          const own = await sdk.getActorState(actorId)
          const workers = await sdk.listWorkers({ filters: [['nodeId', '=', nodeId]] })
          return {
            own: [own?.state, own?.nodeId === nodeId],
            isListed: (await sdk.listActors({ filters: [['actorId', '=', actorId]] })).rows.length === 1,
            isThere: workers.rows.some((row) => row.workerId === workerId && row.state === 'ACTOR'),
          }
        }
        async sizeOf(box: { readonly ref: { readonly id: string } }): Promise<boolean> {
          const state = await sdk.getObjectState(box.ref)
          const { rows } = await sdk.listObjects({ filters: [['objectId', '=', state?.objectId]] })
          return (state?.sizeBytes ?? 0) > 1_000 && rows.length === 1 && rows[0]?.sizeBytes === state?.sizeBytes
        }
      }
    })
    const looks = Looks.remote()
    equals(await get(looks.self.remote()), { own: ['ALIVE', true], isListed: true, isThere: true })
    using ref = put(new Uint8Array(1_000))
    isTrue(await get(looks.sizeOf.remote({ ref })), 'the object is found by its ref and in the list')
  })

  it('[SQ1, SQ5] a bad question is refused where it is asked, and too many at once are', async ({
    api: { get, remote },
  }) => {
    const asks = remote({}, async ({ listTasks, listNodes }) => {
      const names: string[] = []
      for (const options of [{ limit: 0 }, { filters: [['className', '=', 1]] }, { more: 1 }])
        names.push(await listTasks(options as object).then(String, (error: Error) => error.name))
      const all = await Promise.allSettled(Array.from({ length: 150 }, () => listNodes()))
      const refused = all.filter(({ status }) => status === 'rejected').length
      return { names, refused, after: (await listNodes()).rows.length > 0 }
    })
    equals(await get(asks.remote()), { names: ['RangeError', 'TypeError', 'TypeError'], refused: 50, after: true })
  })
}
