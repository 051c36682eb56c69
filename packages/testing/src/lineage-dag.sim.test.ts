import { describe, expect, it } from 'vitest'
import { must, randomInt } from '@shoal/base'
import type { ObjectRef } from '@shoal/core-worker'
import type { NodeOptions } from '@shoal/node'
import { at, LARGE, LineageRoom } from './lineage-room.ts'
import { simRandom } from './sim-random.ts'
import type { SimRandom } from './sim-random.ts'

declare const simRan: (label: string) => void

/** Large and made elsewhere; the same, but it may run once; small, so that it is at its owner; put there. */
type Kind = 'task' | 'once' | 'small' | 'put'

interface Vertex {
  readonly kind: Kind
  readonly label: string
  readonly place: string
  readonly needs: readonly Vertex[]
  readonly value: number
  readonly ref: ObjectRef<Uint8Array>
  isHeld: boolean
}

const SIZE = 30
const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1)
/** Tabs that die; what may not run twice is in another. */
const MORTAL = ['a', 'b', 'c']

/** What has bytes somewhere, and what is run when some are lost: no more than that, and nothing twice. */
class Oracle {
  readonly #vertices: readonly Vertex[]

  constructor(vertices: readonly Vertex[]) {
    this.#vertices = vertices
  }

  /** Values that somebody holds, and those that no task can make again and a recipe needs. */
  present(): Set<Vertex> {
    const needed = new Set<Vertex>()
    const visit = (vertex: Vertex): void => {
      if (needed.has(vertex)) return
      needed.add(vertex)
      if (vertex.kind === 'task') vertex.needs.forEach(visit)
    }
    for (const vertex of this.#vertices) if (vertex.isHeld) visit(vertex)
    return new Set([...needed].filter(({ isHeld, kind }) => isHeld || kind !== 'task'))
  }

  /** What is run when a tab is lost. */
  again(victim: string): Map<string, number> {
    const left = new Set([...this.present()].filter(({ place }) => place !== victim))
    const runs = new Map<string, number>()
    const make = (vertex: Vertex): void => {
      if (left.has(vertex) || runs.has(vertex.label)) return
      runs.set(vertex.label, 1)
      vertex.needs.forEach(make)
    }
    for (const vertex of this.#vertices) if (vertex.isHeld) make(vertex)
    return runs
  }
}

/** A random graph of tasks, of which in the end somebody holds some, picked at random. */
async function grown(room: LineageRoom, random: SimRandom): Promise<Vertex[]> {
  const { remote, put, wait } = room.driver.api
  const make = remote((label: string, bytes: number, ...needs: Uint8Array[]) => {
    simRan(label)
    const value = new Uint8Array(bytes)
    value[0] = needs.reduce((sum, need) => sum + (need[0] ?? 0), 1) % 256
    return value
  })
  const vertices: Vertex[] = []
  for (let n = 0; n < SIZE; n++) {
    const draw = random.float()
    const kind: Kind = draw < 0.75 ? 'task' : draw < 0.85 ? 'once' : draw < 0.95 ? 'small' : 'put'
    // Mostly the latest, so that it grows deep.
    const among = vertices.slice(-6)
    const needs = kind === 'put' ? [] : among.filter(() => random.float() < 0.3)
    const value = needs.reduce((sum, need) => sum + need.value, 1) % 256
    const place = kind === 'task' ? must(MORTAL[randomInt(random, MORTAL.length)]) : kind === 'once' ? 'd' : 'driver'
    const label = `${n} ${kind}`
    const options = { ...at(kind === 'small' ? 'd' : place), maxRetries: kind === 'once' ? 0 : 3 }
    const ref =
      kind === 'put'
        ? put(new Uint8Array(LARGE).fill(1))
        : make.options(options).remote(label, kind === 'small' ? 10 : LARGE, ...needs.map((need) => need.ref))
    await room.settle(wait([ref]))
    vertices.push({ kind, label, place, needs, value, ref, isHeld: true })
    const old = vertices[n - 6]
    if (old !== undefined && random.float() < 0.75) letGo(old)
  }
  for (const vertex of vertices.slice(-6, -1)) if (random.float() < 0.5) letGo(vertex)
  await room.pass(2_000)
  return vertices
}

function letGo(vertex: Vertex): void {
  vertex.isHeld = false
  vertex.ref.release()
}

async function opened(seed: number, options: Pick<NodeOptions, 'lineage' | 'guards'> = {}): Promise<LineageRoom> {
  const room = new LineageRoom({ seed, helpers: [...MORTAL, 'd'], ...options })
  await room.open()
  return room
}

/** Every value that is held is the right one, and then nothing is left. */
async function checkHeld(room: LineageRoom, vertices: readonly Vertex[]): Promise<void> {
  const { get } = room.driver.api
  for (const vertex of vertices)
    if (vertex.isHeld) {
      expect((await room.settle(get(vertex.ref)))[0], vertex.label).toBe(vertex.kind === 'put' ? 1 : vertex.value)
      letGo(vertex)
    }
  expect(await room.left()).toEqual([])
}

describe('a random graph of tasks', () => {
  it.each(SEEDS)('[T4][O8] of seed %i: the bytes there are, and the runs when tabs die', async (seed) => {
    const room = await opened(seed)
    const random = simRandom(seed)
    const vertices = await grown(room, random)
    const oracle = new Oracle(vertices)
    for (let death = 0; death < 2; death++) {
      const present = [...oracle.present()]
      for (const name of room.tabs.keys())
        expect([name, room.large([name])]).toEqual([
          name,
          present.filter(({ kind, place }) => place === name && kind !== 'small').length,
        ])
      const victim = must(MORTAL[randomInt(random, MORTAL.length)])
      const before = room.runs.length
      room.kill(victim)
      await room.enter(victim)
      await room.pass(15_000)
      expect(room.runsSince(before)).toEqual(oracle.again(victim))
    }
    await checkHeld(room, vertices)
    room.close()
  })

  it.each(SEEDS)(
    '[O9][O1] of seed %i, cut at three levels: no value is lost, and nothing more is run',
    async (seed) => {
      const room = await opened(seed, { lineage: { depth: 3, bytes: 1e9 } })
      const random = simRandom(seed)
      const vertices = await grown(room, random)
      const oracle = new Oracle(vertices)
      for (let death = 0; death < 3; death++) {
        const victim = must(MORTAL[randomInt(random, MORTAL.length)])
        const before = room.runs.length
        room.kill(victim)
        await room.enter(victim)
        await room.pass(15_000)
        const needed = oracle.again(victim)
        const more = [...room.runsSince(before)].filter(([label, count]) => count > (needed.get(label) ?? 0))
        expect(more).toEqual([])
      }
      await checkHeld(room, vertices)
      room.close()
    },
  )

  it('[X1] without what recipes count, values are lost', async () => {
    const failed: unknown[] = []
    for (const seed of SEEDS.slice(0, 3)) {
      const room = await opened(seed, { guards: { countsRecipes: false } })
      const vertices = await grown(room, simRandom(seed))
      room.kill('a')
      await room.enter('a')
      await room.pass(15_000)
      await checkHeld(room, vertices).catch((error: unknown) => failed.push(error))
      room.close()
    }
    expect(failed).not.toEqual([])
  })
})
