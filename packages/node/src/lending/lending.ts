import type { Clock, Timer } from '@shoal/base'
import { CPU, UNITS_OF_ONE, unitsOf } from '@shoal/protocol'
import type { NodeLabels, ResourceSet } from '@shoal/protocol'
import { DataBudget } from './data-budget.ts'
import { DutyCycle } from './duty-cycle.ts'

/** Why a tab that lends takes nothing now. */
export type LendingPause = 'battery' | 'metered' | 'hidden' | 'data'

/** Whether a tab lends, how much at most, and what its page knows of the device it is on. */
export interface LendingTerms {
  readonly isOn: boolean
  /** CPUs that others' work may have at a time. Default: all. */
  readonly workers?: number
  /** The share of the time for which these may be at work, above 0. Default 1. */
  readonly dutyCycle?: number
  /** What others' work may reserve, and what all objects may take in memory. Default: what the tab has. */
  readonly memoryBytes?: number
  /** Sent and received, in any hour. Default: any. */
  readonly bytesPerHour?: number
  /** What only a page can see. */
  readonly pause?: Exclude<LendingPause, 'data'>
  /** Of its device, beside those that it was made with. */
  readonly labels?: NodeLabels
}

export interface LendingOptions {
  readonly clock: Clock
  readonly isOn: boolean
  /** All that this tab has. */
  resources(): ResourceSet
  /** Workers in which work of others runs at this moment. */
  running(): number
  /** Bytes sent and received since the room was entered. */
  traffic(): number
  /** Objects have no room: see ObjectStorePorts.full. */
  isFull(): boolean
  /** Guests are welcome or not; `most` is what others' work may use. */
  schedule(event: { readonly isOn: boolean; readonly most: ResourceSet }): void
  /** Others' work that waits here may start or has to wait. */
  rest(isResting: boolean): void
  /** Guests that have not started go back to their owners. */
  giveBack(): void
  limitMemory(bytes: number | undefined): void
  /** What others are told of this tab has changed. */
  introduce(): void
  changed(): void
}

const MEMORY = 'memory'
/** How soon too much traffic is seen. */
const LOOK_MS = 500

/**
 * What this tab does for others, and the limits of it: decides when guests are welcome, and holds what they use to what was
 * agreed. What runs is never stopped: it goes on to its end, and what has not started goes back to its owner.
 * States: off; taking <-> resting (over its share of the time, for moments) <-> paused (for a reason that people are told).
 */
export class Lending {
  readonly #options: LendingOptions
  readonly #data = new DataBudget()
  readonly #duty: DutyCycle
  #terms: LendingTerms
  #pause: LendingPause | undefined
  #timer: Timer | undefined
  #waiting: (() => void)[] = []
  #isClosed = false

  constructor(options: LendingOptions) {
    this.#options = options
    this.#terms = { isOn: options.isOn }
    this.#duty = new DutyCycle({
      clock: options.clock,
      running: () => options.running(),
      changed: (isResting) => this.#rest(isResting),
    })
  }

  get isOn(): boolean {
    return this.#terms.isOn
  }

  get pause(): LendingPause | undefined {
    return this.#terms.isOn ? this.#pause : undefined
  }

  get isResting(): boolean {
    return this.#duty.isResting
  }

  /** Whether a guest that comes now may be run soon. */
  get takesGuests(): boolean {
    return this.#mayTake && !this.#duty.isResting
  }

  get bytesLastHour(): number {
    return this.#data.bytes
  }

  /** What others may reserve here; nothing while it lends nothing. */
  get lent(): ResourceSet {
    return this.#mayTake ? this.#most() : []
  }

  /** What this tab says of its device and its lending. */
  get labels(): NodeLabels {
    const { pause } = this
    return [...(this.#terms.labels ?? []), ...(pause === undefined ? [] : [{ key: PAUSED_LABEL, value: pause }])]
  }

  apply(terms: LendingTerms): void {
    const had = this.#terms
    this.#terms = terms
    const { isOn, dutyCycle = 1, memoryBytes } = terms
    const cpus = unitsOf(this.#most(), CPU) / UNITS_OF_ONE
    this.#options.limitMemory(isOn ? memoryBytes : undefined)
    // What children of guests do once lending has ended is what these need to end.
    this.#duty.set(isOn ? dutyCycle : 1, cpus)
    this.#lookAtData()
    if (!this.#decide() && isSame(had, terms)) return
    this.#tell()
    this.#options.introduce()
  }

  /** Something may have begun or ended. */
  stepped(): void {
    this.#duty.look()
  }

  /** See `DutyCycle.took`. */
  took(ms: number): void {
    this.#duty.took(ms)
  }

  /** Objects have room again, or none any more. */
  tell(): void {
    this.#options.schedule({ isOn: this.#mayTake && !this.#options.isFull(), most: this.#most() })
  }

  /** Calls back at once, or when it has rested. */
  whenRested(callback: () => void): void {
    if (this.#duty.isResting) this.#waiting.push(callback)
    else callback()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#duty.close()
    this.#waiting = []
  }

  get #mayTake(): boolean {
    return this.#terms.isOn && this.#pause === undefined
  }

  #most(): ResourceSet {
    const { workers, memoryBytes } = this.#terms
    const most = new Map([
      [CPU, workers],
      [MEMORY, memoryBytes],
    ])
    return this.#options.resources().flatMap(({ name, units }) => {
      const limit = most.get(name)
      const least = limit === undefined ? units : Math.min(units, Math.round(limit * UNITS_OF_ONE))
      return least > 0 ? [{ name, units: least }] : []
    })
  }

  /** True when the reason to pause is another than before. */
  #decide(): boolean {
    const pause = this.#terms.pause ?? (this.#data.isSpent ? 'data' : undefined)
    if (pause === this.#pause) return false
    this.#pause = pause
    return true
  }

  #tell(): void {
    this.tell()
    if (!this.#mayTake) this.#options.giveBack()
    this.#options.changed()
  }

  #rest(isResting: boolean): void {
    this.#options.rest(isResting)
    if (isResting) {
      this.#options.giveBack()
      return
    }
    for (const callback of this.#waiting.splice(0)) callback()
  }

  #lookAtData(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const { isOn, bytesPerHour } = this.#terms
    const { clock } = this.#options
    this.#data.look(clock.now(), this.#options.traffic(), isOn ? bytesPerHour : undefined)
    if (!isOn || bytesPerHour === undefined || this.#isClosed) return
    this.#timer = clock.after(LOOK_MS, () => {
      this.#lookAtData()
      if (!this.#decide()) return
      this.#tell()
      this.#options.introduce()
    })
  }
}

/** Why a tab that would lend takes nothing: on its card, for people. */
export const PAUSED_LABEL = 'shoal/paused'

function isSame(a: LendingTerms, b: LendingTerms): boolean {
  const text = ({ isOn, workers, dutyCycle, memoryBytes, bytesPerHour, pause, labels = [] }: LendingTerms): string =>
    JSON.stringify([isOn, workers, dutyCycle, memoryBytes, bytesPerHour, pause, labels])
  return text(a) === text(b)
}
