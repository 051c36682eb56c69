import { must } from '@shoal/base'
import { CPU, toResourceSet } from '@shoal/protocol'
import { Scheduler, workShape } from '@shoal/scheduler'
import type { ReadyTask, SchedulerEffect, SchedulerEvent } from '@shoal/scheduler'
import type { ModelNode, ModelTask, ScheduleWorld } from './schedule-world.ts'

const SHAPE = workShape({ resources: toResourceSet({ [CPU]: 1 }), strategy: 'DEFAULT' })
const MOST_LANES = 256

interface Seat {
  readonly node: ModelNode
  readonly scheduler: Scheduler<ModelTask>
  readonly lanes: Map<number, ReadyTask<ModelTask>[]>
}

/**
 * The schedulers of a whole room over a model of its network: what they say to each other arrives late, and a task takes its
 * slot for as long as its input takes to come and it takes to run. Tabs that submit nothing do not know of each other.
 * @returns the makespan in ms
 */
export function creditRoom(world: ScheduleWorld): number {
  const seats = new Map<string, Seat>()
  const drivers = new Set(world.drivers.map(({ name }) => name))
  const resourcesOf = ({ slots }: ModelNode): ReturnType<typeof toResourceSet> => toResourceSet({ [CPU]: slots })

  const step = (seat: Seat, events: SchedulerEvent<ModelTask>[]): void => {
    for (const effect of seat.scheduler.step(events)) carryOut(seat, effect)
  }
  const arrivesMs = new Map<string, number>()
  const say = (from: Seat, to: string, event: SchedulerEvent<ModelTask>): void => {
    const wire = `${from.node.name}>${to}`
    // Nothing overtakes.
    const atMs = Math.max(arrivesMs.get(wire) ?? 0, world.nowMs + world.latencyMs())
    arrivesMs.set(wire, atMs)
    world.after(atMs - world.nowMs, () => step(must(seats.get(to)), [event]))
  }

  const begin = (seat: Seat, lane: number): void => {
    const [task] = must(seat.lanes.get(lane))
    if (task === undefined) return
    const ms = world.runMs(task.key, seat.node)
    world.after(ms, () => {
      const { name } = seat.node
      world.ended(task.key, seat.node)
      must(seat.lanes.get(lane)).shift()
      if (task.key.owner !== name) say(seat, task.key.owner, { type: 'sent-ended', node: name, kind: task.kind, ms })
      begin(seat, lane)
      const { holder, bytes } = task.key
      // What comes here is measured.
      if (bytes > 0 && holder !== name && drivers.has(name))
        step(seat, [{ type: 'rate', node: holder, bytesPerMs: world.bytesPerMs }])
      step(seat, [{ type: 'finished', lane, kind: task.kind, ms }])
    })
  }

  const carryOut = (seat: Seat, effect: SchedulerEffect<ModelTask>): void => {
    const { name } = seat.node
    switch (effect.type) {
      case 'start': {
        const { lane, task } = effect
        const queue = seat.lanes.get(lane) ?? []
        seat.lanes.set(lane, queue)
        if (queue.push(task) === 1) begin(seat, lane)
        return
      }
      case 'send': {
        const task = { ...effect.task, staysHere: true, isGuest: true, inputs: [] }
        say(seat, effect.node, { type: 'guest', node: name, task, shape: SHAPE })
        return
      }
      case 'want':
        say(seat, effect.node, { type: 'wanted', node: name, shape: SHAPE, queued: effect.queued })
        return
      case 'grant':
        say(seat, effect.node, { type: 'granted', node: name, shape: SHAPE, count: effect.count })
        return
      case 'return':
        say(seat, effect.node, { type: 'returned', node: name, shape: SHAPE, count: effect.count })
        return
      case 'timer':
        world.after(effect.afterMs, () => step(seat, [{ type: 'passed', timer: effect.timer, shape: SHAPE }]))
        return
      case 'refuse':
      case 'infeasible':
        throw new Error(`${effect.type}: every task fits everywhere here`)
    }
  }

  for (const node of world.nodes) {
    const scheduler = new Scheduler<ModelTask>({
      self: node.name,
      resources: resourcesOf(node),
      maxLanes: MOST_LANES,
    })
    seats.set(node.name, { node, scheduler, lanes: new Map() })
  }
  for (const seat of seats.values())
    step(
      seat,
      world.nodes.flatMap((other) =>
        other !== seat.node && (drivers.has(other.name) || drivers.has(seat.node.name))
          ? [{ type: 'peer', node: other.name, resources: resourcesOf(other) } as const]
          : [],
      ),
    )
  for (const driver of world.drivers)
    step(
      must(seats.get(driver.name)),
      world.tasks.flatMap((task) => (task.owner === driver.name ? [ready(task)] : [])),
    )
  return world.run()
}

function ready(task: ModelTask): SchedulerEvent<ModelTask> {
  const inputs = task.bytes === 0 ? [] : [{ bytes: task.bytes, holders: [task.holder] }]
  const it = { key: task, kind: 'task', staysHere: false, isGuest: false, depth: 0, isExclusive: false, inputs }
  return { type: 'ready', task: it, shape: SHAPE }
}
