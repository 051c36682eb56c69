import { must, Queue, randomInt } from '@shoal/base'
import type { ModelNode, ModelTask, ScheduleWorld } from './schedule-world.ts'

/** Each task goes to a node as it is submitted, and waits there. @returns the makespan in ms */
export function assignAtOnce(world: ScheduleWorld, pick: (task: ModelTask) => ModelNode): number {
  const queues = new Map(world.nodes.map((node) => [node.name, { node, queue: new Queue<ModelTask>(), running: 0 }]))
  const start = (place: { node: ModelNode; queue: Queue<ModelTask>; running: number }): void => {
    while (place.running < place.node.slots) {
      const task = place.queue.shift()
      if (task === undefined) return
      place.running++
      world.after(world.runMs(task, place.node), () => {
        place.running--
        world.ended(task, place.node)
        start(place)
      })
    }
  }
  for (const task of world.tasks) {
    const node = pick(task)
    world.after(node.name === task.owner ? 0 : world.latencyMs(), () => {
      const place = must(queues.get(node.name))
      place.queue.push(task)
      start(place)
    })
  }
  return world.run()
}

export function atRandom(world: ScheduleWorld): number {
  return assignAtOnce(world, () => must(world.nodes[randomInt(world.random, world.nodes.length)]))
}

export function roundRobin(world: ScheduleWorld): number {
  return assignAtOnce(world, ({ id }) => must(world.nodes[id % world.nodes.length]))
}

/**
 * One scheduler that knows at every moment, and without delay, which slots are free and where all objects are; of tasks it
 * knows no times. A free slot takes the oldest task whose input is there, else the oldest of all.
 */
export function allSeeing(world: ScheduleWorld): number {
  const waiting = new Set(world.tasks)
  const byHolder = new Map<string, Set<ModelTask>>()
  for (const task of world.tasks) {
    if (task.bytes === 0) continue
    const held = byHolder.get(task.holder) ?? new Set()
    byHolder.set(task.holder, held.add(task))
  }
  const fill = (node: ModelNode): void => {
    const [task] = [...first(byHolder.get(node.name)), ...first(waiting)]
    if (task === undefined) return
    waiting.delete(task)
    byHolder.get(task.holder)?.delete(task)
    world.after(world.runMs(task, node), () => {
      world.ended(task, node)
      fill(node)
    })
  }
  const most = Math.max(...world.nodes.map(({ slots }) => slots))
  for (let slot = 0; slot < most; slot++) for (const node of world.nodes) if (slot < node.slots) fill(node)
  return world.run()
}

function first<T>(all: ReadonlySet<T> | undefined): T[] {
  for (const each of all ?? []) return [each]
  return []
}
