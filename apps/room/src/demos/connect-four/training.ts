/**
 * The training loop: games as tasks, some for each slot, each with the newest network there is when it is submitted. As soon as
 * enough games are back, whoever played them, the learner gets them as references and learns while others go on; now and then tasks
 * measure how strong the network is. Nobody waits for a slow tab. It lets go of everything when `run` ends.
 */
import { get, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'
import { mixSeeds } from '@shoal/rl'
import type { AlphaZeroMetrics, ServedNet } from '@shoal/rl'
import { playGames, testStrength } from './connect-four.remote.ts'
import type { Done, PlayedGames } from './connect-four.remote.ts'
import type { Crew } from './crew.ts'
import type { FourSettings } from './four-settings.ts'
import type { PackedGames } from './packed-games.ts'
import { StrengthTest } from './strength-test.ts'
import type { Strength } from './strength-test.ts'

export interface Learned {
  readonly games: number
  readonly metrics: AlphaZeroMetrics
}

export interface TrainingOptions {
  readonly settings: FourSettings
  /** Decides the games that are drawn, not in which order tabs bring them. */
  readonly seed: number
  readonly crew: Crew
  /** Slots of the room, this tab's included: asked again and again. */
  readonly slots: () => number
  readonly stop: AbortSignal
  readonly onGames: (games: PlayedGames) => void
  readonly onLearned: (learned: Learned) => void
  readonly onTest: (done: Done) => void
  readonly onStrength: (strength: Strength) => void
}

/** One runs and one is there when it is done. */
const TASKS_PER_SLOT = 2
/** Where games come faster than they are learned from, so many iterations' worth wait, and no more are played. */
const MOST_WAITING = 10
const PURPOSE = { games: 51, test: 52 } as const

interface Fresh {
  readonly games: ObjectRef<PackedGames>
  readonly count: number
}

export class Training {
  readonly #options: TrainingOptions
  /** What to do with what is under way once it is there. */
  readonly #underWay = new Map<ObjectRef, () => Promise<void>>()
  readonly #held = new Set<ObjectRef>()
  #net: ObjectRef<ServedNet>
  #fresh: Fresh[] = []
  #submitted = 0
  #playing = 0
  #isLearning = false
  #isTesting = false
  #iteration = 0
  #games = 0
  #testAt = 0

  constructor(options: TrainingOptions) {
    this.#options = options
    this.#net = this.#hold(options.crew.learner.net.remote())
  }

  /** @throws the signal's reason; what a task or an actor ended with. */
  async run(): Promise<void> {
    const { settings, stop } = this.#options
    try {
      while (this.#iteration < settings.maxIterations) {
        this.#submit()
        const [ready] = await wait([...this.#underWay.keys()], { signal: stop })
        for (const ref of ready) {
          const take = this.#underWay.get(ref)
          this.#underWay.delete(ref)
          await take?.()
        }
      }
    } finally {
      for (const ref of this.#held) ref.release()
    }
  }

  #submit(): void {
    const { slots, settings } = this.#options
    const waiting = this.#fresh.reduce((sum, { count }) => sum + count, 0)
    if (!this.#isTesting && this.#games >= this.#testAt) this.#test()
    if (!this.#isLearning && waiting >= settings.gamesPerIteration) this.#learn()
    const target = waiting < MOST_WAITING * settings.gamesPerIteration ? TASKS_PER_SLOT * Math.max(1, slots()) : 0
    while (this.#playing < target) this.#play()
  }

  #play(): void {
    const { settings, seed, onGames, stop } = this.#options
    this.#playing += 1
    this.#submitted += 1
    const request = { ...settings.selfPlay, seed: mixSeeds(seed, PURPOSE.games, this.#submitted) }
    const [games, played] = playGames.remote(this.#net, settings.network, request)
    this.#hold(games)
    this.#underWay.set(this.#hold(played), async () => {
      this.#playing -= 1
      onGames(await get(played, { signal: stop }))
      this.#release(played)
      this.#fresh.push({ games, count: request.games })
    })
  }

  #learn(): void {
    const { crew, onLearned, stop } = this.#options
    this.#isLearning = true
    const learned = this.#fresh
    const count = learned.reduce((sum, fresh) => sum + fresh.count, 0)
    this.#fresh = []
    const update = this.#hold(crew.learner.learnGames.remote(...learned.map(({ games }) => games)))
    const net = this.#hold(crew.learner.net.remote())
    for (const { games } of learned) this.#release(games)
    // Actors answer in order: with the weights the update is there as well.
    this.#underWay.set(net, async () => {
      const metrics = await get(update, { signal: stop })
      this.#release(update)
      this.#release(this.#net)
      this.#net = net
      this.#isLearning = false
      this.#iteration += 1
      this.#games += count
      // Nobody waits for it: until it is there, the one before answers.
      crew.server.serve.options({ numReturns: 0 }).remote(net)
      onLearned({ games: count, metrics })
    })
  }

  #test(): void {
    const { settings, seed, onTest, onStrength, stop } = this.#options
    this.#isTesting = true
    this.#testAt = this.#games + Math.max(settings.gamesPerTest, this.#games / 8)
    const test = new StrengthTest(settings, mixSeeds(seed, PURPOSE.test, this.#iteration), this.#games)
    for (const request of test.requests) {
      const ref = this.#hold(testStrength.remote(this.#net, settings.network, request))
      this.#underWay.set(ref, async () => {
        const result = await get(ref, { signal: stop })
        this.#release(ref)
        onTest(result)
        const strength = test.add(request, result)
        if (strength === undefined) return
        this.#isTesting = false
        onStrength(strength)
      })
    }
  }

  #hold<R extends ObjectRef>(ref: R): R {
    this.#held.add(ref)
    return ref
  }

  #release(ref: ObjectRef): void {
    this.#held.delete(ref)
    ref.release()
  }
}
