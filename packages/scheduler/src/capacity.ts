import { CPU, unitsOf } from '@shoal/protocol'
import type { ResourceSet } from '@shoal/protocol'

/** What a shape asks of this node, as places in its table: counting it makes no objects. */
export interface Demand {
  readonly places: readonly number[]
  /** Ten-thousandths, beside `places`. */
  readonly units: readonly number[]
  /** False when the node has less than that altogether: then it never runs here. */
  readonly isFeasible: boolean
}

/**
 * What one node has, and how much of it is in use, in whole ten-thousandths: exact however often it is taken and given
 * back. It decides nothing.
 */
export class Capacity {
  readonly #places = new Map<string, number>()
  readonly #names: string[] = []
  readonly #total: number[] = []
  readonly #used: number[] = []
  /** Of `#used`, what actors keep for their lives. */
  readonly #reserved: number[] = []
  readonly #cpu: number

  constructor(resources: ResourceSet) {
    this.grow(resources)
    this.#cpu = this.#places.get(CPU) ?? -1
  }

  /** Now it has all of these; of what it had it loses nothing. Demands from before may say that they are not feasible. */
  grow(resources: ResourceSet): void {
    for (const { name, units } of resources) {
      const place = this.#places.get(name)
      if (place !== undefined) {
        this.#total[place] = Math.max(at(this.#total, place), units)
        continue
      }
      this.#places.set(name, this.#names.length)
      this.#names.push(name)
      this.#total.push(units)
      this.#used.push(0)
      this.#reserved.push(0)
    }
  }

  demand(resources: ResourceSet): Demand {
    const places: number[] = []
    const units: number[] = []
    let isFeasible = true
    for (const entry of resources) {
      const place = this.#places.get(entry.name)
      if (place === undefined || entry.units > at(this.#total, place)) isFeasible = false
      places.push(place ?? -1)
      units.push(entry.units)
    }
    return { places, units, isFeasible }
  }

  /** Whether it is free now. */
  fits(demand: Demand): boolean {
    if (!demand.isFeasible) return false
    for (let i = 0; i < demand.places.length; i++) {
      const place = at(demand.places, i)
      if (at(this.#used, place) + at(demand.units, i) > at(this.#total, place)) return false
    }
    return true
  }

  take(demand: Demand): void {
    this.#count(this.#used, demand, 1)
  }

  /** Gives back what was taken. */
  give(demand: Demand): void {
    this.#count(this.#used, demand, -1)
  }

  /** A task that waits gives back its CPUs and nothing else, as in Ray. */
  giveCpus(demand: Demand): void {
    this.#countCpus(demand, -1)
  }

  takeCpus(demand: Demand): void {
    this.#countCpus(demand, 1)
  }

  /** What an actor keeps for its life is in use and will not come free by any task's end. */
  reserve(resources: ResourceSet, change: 1 | -1): void {
    const demand = this.demand(resources)
    this.#count(this.#used, demand, change)
    this.#count(this.#reserved, demand, change)
  }

  /** How many such there could be at a time beside the actors; `unbounded` when nothing is asked for. */
  slots(demand: Demand, unbounded: number): number {
    return this.#beside(this.#reserved, demand, unbounded)
  }

  /** How many more fit now. */
  free(demand: Demand, unbounded: number): number {
    return this.#beside(this.#used, demand, unbounded)
  }

  /** There is so much of each from now on; what is in use past that stays so until it is given back. */
  limit(resources: ResourceSet): void {
    this.#names.forEach((name, place) => (this.#total[place] = unitsOf(resources, name)))
  }

  /** What nobody has taken. */
  unused(): ResourceSet {
    return this.#set(this.#total.map((units, place) => units - at(this.#used, place)))
  }

  used(): ResourceSet {
    return this.#set(this.#used)
  }

  #beside(taken: readonly number[], demand: Demand, unbounded: number): number {
    if (!demand.isFeasible) return 0
    if (demand.places.length === 0) return unbounded
    let count = Infinity
    for (let i = 0; i < demand.places.length; i++) {
      const place = at(demand.places, i)
      count = Math.min(count, Math.floor((at(this.#total, place) - at(taken, place)) / at(demand.units, i)))
    }
    return Math.max(0, count)
  }

  #count(table: number[], demand: Demand, change: 1 | -1): void {
    for (let i = 0; i < demand.places.length; i++) {
      const place = at(demand.places, i)
      table[place] = at(table, place) + change * at(demand.units, i)
    }
  }

  #countCpus(demand: Demand, change: 1 | -1): void {
    const i = demand.places.indexOf(this.#cpu)
    if (i >= 0) this.#used[this.#cpu] = at(this.#used, this.#cpu) + change * at(demand.units, i)
  }

  #set(table: readonly number[]): ResourceSet {
    return this.#names.map((name, place) => ({ name, units: at(table, place) })).filter(({ units }) => units > 0)
  }
}

/** An element that is there. */
function at(list: readonly number[], index: number): number {
  return list[index] as number
}

/** Of each, so much as there is of it in both. */
export function leastOf(a: ResourceSet, b: ResourceSet): ResourceSet {
  return a.flatMap(({ name, units }) => {
    const least = Math.min(units, unitsOf(b, name))
    return least > 0 ? [{ name, units: least }] : []
  })
}
