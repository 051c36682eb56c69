import type { NodeHoldings } from '@shoal/node'
import { createSimNode } from '../sim-node.ts'
import type { SimNode } from '../sim-node.ts'
import { SimWorld } from '../sim-world.ts'
import type { CaseNeeds, Page } from './case.ts'

export interface RoomKind {
  readonly tabs: number
  /** With 0 everything goes to the other tabs; alone it has to be 1 at least. */
  readonly driverSlots: number
}

/** The longest that a case may take, in simulated time. */
const CASE_LIMIT_MS = 120_000
/** What was said last has arrived everywhere by then, and references of the tab that left are dropped: 10 s late. */
const QUIET_MS = 16_000
const CLOSED_MS = 2_000

/**
 * Runs a case in a simulated room and looks at what it leaves. First its refs are released and nothing else is done:
 * every count of every node is 0 then. Then its job ends, and every node of the room, the driver's own too, is empty.
 * At last everything is closed, and no timer, link or socket is left.
 *
 * @throws Error as the case does, or naming what is left.
 */
export async function runSimulated(
  run: (page: Page) => Promise<void>,
  room: RoomKind,
  needs: CaseNeeds = {},
): Promise<void> {
  const world = new SimWorld({ seed: 3 })
  const { tabs, driverSlots } = room
  const slots = needs.slots ?? driverSlots
  const { ownerKeyPair } = world
  const { resources = {} } = needs
  const driver = await createSimNode(world.ports(await world.identity('driver'), 1), {
    slots,
    resources,
    ...(tabs === 1 ? { isAlone: true } : { ownerKeyPair }),
  })
  const nodes = [driver]
  for (let tab = 1; tab < tabs; tab++)
    nodes.push(await createSimNode(world.ports(await world.identity(`helper ${tab}`), 1)))
  if (tabs > 1) await world.clock.run(world.clock.now() + 3_000)
  const { clock } = world
  const page: Page = {
    api: driver.api,
    tabs,
    now: () => clock.now(),
    pause: (ms) => new Promise((resolve) => clock.after(ms, resolve)),
  }
  await settle(world, run(page))
  if (needs.leaves !== true) {
    await settleRefs(world, nodes)
    const left = nodes.flatMap((node) => leftovers(node, ['actors', 'workers']))
    if (left.length > 0) throw new Error(`after every ref was released, left: ${left.join(', ')}`)
  }
  driver.close('closed')
  await clock.run(clock.now() + QUIET_MS)
  const left = nodes.flatMap((node) => leftovers(node))
  if (left.length > 0) throw new Error(`after the job's end, left: ${left.join(', ')}`)
  for (const node of nodes) node.close('closed')
  await clock.run(clock.now() + CLOSED_MS)
  const leaks = [...world.leaks(), ...nodes.flatMap((node) => leftovers(node))]
  if (leaks.length > 0) throw new Error(`after everything was closed, left: ${leaks.join(', ')}`)
}

/** Runs simulated time until the promise settles. */
async function settle(world: SimWorld, promise: Promise<void>): Promise<void> {
  let isOpen = true
  const end = (): void => {
    isOpen = false
  }
  promise.then(end, end)
  if (!(await world.clock.runUntil(() => !isOpen, CASE_LIMIT_MS)))
    throw new Error(`the case is still open after ${CASE_LIMIT_MS} simulated ms`)
  await promise
}

/** The page and its workers let go of every ref; those inside of what they held may come and go once more. */
async function settleRefs(world: SimWorld, nodes: readonly SimNode[]): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const { collector, workers } of nodes) {
      collector.collect()
      for (const worker of workers.workers) worker.collector.collect()
    }
    await world.clock.run(world.clock.now() + 1_500)
  }
}

function leftovers(node: SimNode, ignored: readonly (keyof NodeHoldings)[] = []): string[] {
  const { open, watched, ready } = node.core.holdings
  const counts = { ...node.node.holdings(), open, watched, ready }
  return Object.entries(counts)
    .filter(([name, count]) => count !== 0 && !ignored.includes(name as keyof NodeHoldings))
    .map(([name, count]) => `${count} ${name} of ${node.ports.name}`)
}
