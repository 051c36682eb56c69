/**
 * A person's own lander: the environment that the agents play, with one flight after another, in real time. It takes what is
 * held down and the time of each frame; it does not draw and knows no keys.
 *
 *   off -> ready -> flying -> ended -> ready ...      stop: off, from anywhere
 *                     ^ v
 *                   paused
 *
 * Without an engine it is down within a second and a half: it hangs at its start until the person's hands are there.
 */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import { makeEnv } from '@shoal/rl'
import type { Env } from '@shoal/rl'
import { STEPS_PER_SECOND, TERRAIN_SIZE } from '@shoal/rl/lunar-lander'
import type { Outcome } from './flight.ts'

export type PilotState =
  | { readonly kind: 'off' | 'ready' | 'flying' | 'paused' }
  | { readonly kind: 'ended'; readonly outcome: Outcome; readonly score: number }

export type Control = 'left' | 'main' | 'right'

/** Where a body is: metres, radians. */
export interface Pose {
  readonly x: number
  readonly y: number
  readonly angle: number
}

const STEP_MS = 1000 / STEPS_PER_SECOND
/** A frame that comes late, as after the tab was hidden, costs no more than this of a flight. */
const MOST_FRAME_MS = 100
/** What moves the lander that way: the engine on the other side, and the left one turns it left. */
const ACTIONS: Readonly<Record<Control, number>> = { left: 1, main: 2, right: 3 }

export class Pilot {
  readonly #env: Env
  readonly #state = signal<PilotState>({ kind: 'off' })
  readonly #best = signal<number | undefined>(undefined)
  readonly #held = new Set<Control>()
  #flights = 0
  #score = 0
  #lastMs: number | undefined
  #leftMs = 0
  #fired = 0

  readonly state: ReadonlySignal<PilotState> = this.#state
  /** The highest score of a whole flight. */
  readonly best: ReadonlySignal<number | undefined> = this.#best

  constructor(terrainSeed: number) {
    this.#env = makeEnv('LunarLander-v3', { terrainSeed })
  }

  /** Of the flight so far: what the agents are rewarded with. */
  get score(): number {
    return this.#score
  }

  /** The engine that fired in the last step. */
  get fired(): Control | undefined {
    return this.#fired === 2 ? 'main' : this.#fired === 1 ? 'left' : this.#fired === 3 ? 'right' : undefined
  }

  /** A new flight, with a start of its own, which begins with `begin` or the first thing that is held. */
  start(): void {
    this.#env.reset(this.#flights)
    this.#flights += 1
    this.#score = 0
    this.#fired = 0
    this.#leftMs = 0
    this.#lastMs = undefined
    this.#held.clear()
    this.#state.value = { kind: 'ready' }
  }

  begin(): void {
    if (this.#state.peek().kind === 'ready') this.#state.value = { kind: 'flying' }
  }

  stop(): void {
    this.#held.clear()
    this.#state.value = { kind: 'off' }
  }

  /** Nobody steers: what was held is let go, and time stands still. */
  pause(): void {
    this.#held.clear()
    if (this.#state.peek().kind === 'flying') this.#state.value = { kind: 'paused' }
  }

  resume(): void {
    this.#lastMs = undefined
    if (this.#state.peek().kind === 'paused') this.#state.value = { kind: 'flying' }
  }

  hold(control: Control, isHeld: boolean): void {
    if (isHeld) {
      this.#held.add(control)
      this.begin()
    } else {
      this.#held.delete(control)
    }
  }

  /** Flies on to this time. */
  advance(nowMs: number): void {
    if (this.#state.peek().kind !== 'flying') return
    this.#leftMs += Math.min(nowMs - (this.#lastMs ?? nowMs), MOST_FRAME_MS)
    this.#lastMs = nowMs
    while (this.#leftMs >= STEP_MS && this.#state.peek().kind === 'flying') {
      this.#leftMs -= STEP_MS
      this.#step()
    }
  }

  /** Hull, left leg and right leg. */
  poses(): readonly [hull: Pose, left: Pose, right: Pose] {
    const state = this.#env.getState()
    const pose = (body: number): Pose => {
      const [x = 0, y = 0, angle = 0] = state.subarray(TERRAIN_SIZE + 6 * body)
      return { x, y, angle }
    }
    return [pose(0), pose(1), pose(2)]
  }

  #step(): void {
    this.#fired = this.#action()
    const { reward, terminated, truncated } = this.#env.step(this.#fired)
    this.#score += reward
    if (!terminated && !truncated) return
    const score = this.#score
    this.#best.value = Math.max(score, this.#best.peek() ?? score)
    this.#held.clear()
    this.#state.value = {
      kind: 'ended',
      score,
      outcome: !terminated ? 'out of time' : reward > 0 ? 'landed' : 'crashed',
    }
  }

  /** Like the agents, people fire one engine at a time: of two that are held each has every other step. */
  #action(): number {
    const isMain = this.#held.has('main')
    const isLeft = this.#held.has('left')
    const side = isLeft === this.#held.has('right') ? undefined : isLeft ? 'left' : 'right'
    if (side === undefined) return isMain ? ACTIONS.main : 0
    return isMain && this.#env.elapsedSteps % 2 === 0 ? ACTIONS.main : ACTIONS[side]
  }
}
