import { announce, isSignShown, lendingDesk } from './lending-desk.ts'
import type { Lender, LendingDesk } from './lending-desk.ts'
import type { LendingTerms } from '@shoal/node/web'
import type { LendingLimits } from './lending-limits.ts'
import type * as WatchLimits from './watch-limits.ts'

/** How a page watches its device: loaded when lending is limited. */
export type LoadWatch = () => Promise<{ readonly watchLimits: typeof WatchLimits.watchLimits }>

/** A page that has just loaded may show its badge a little later than it starts its session. */
const PATIENCE_MS = 1_000

export interface LendingOptions {
  readonly lender: Lender
  readonly wants: boolean | LendingLimits
  loadWatch?: LoadWatch
  /** Lending begins or ends, or what stands in its way does. */
  changed(): void
}

/**
 * Whether a session lends: it is in a room, was told to, and people can see so. States: off (not wanted, or no room) ->
 * waiting (no badge is shown) <-> on; any -> closed. A badge that goes away takes the lending with it.
 */
export class Lending {
  readonly #options: LendingOptions
  readonly #desk: LendingDesk = lendingDesk()
  #wants: boolean | LendingLimits
  #terms: Omit<LendingTerms, 'isOn'> = {}
  /** Limits that do not hold yet: nothing of others may run before they do. */
  #isHeld = false
  #endWatch: (() => void) | undefined
  #limits: LendingLimits | undefined
  #isOn = false
  #isBadgeMissing = false
  #isClosed = false
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor(options: LendingOptions) {
    this.#options = options
    this.#wants = options.wants
  }

  /** Takes its place at the desk, once its session can be asked. */
  open(): void {
    this.#desk.lenders.add(this.#options.lender)
    this.#desk.listeners.add(this.#evaluate)
    this.want(this.#wants)
  }

  get isOn(): boolean {
    return this.#isOn
  }

  get isWanted(): boolean {
    return this.#wants !== false && !this.#isClosed
  }

  /** True when lending is wanted and no badge has been shown for a while. */
  get isBadgeMissing(): boolean {
    return this.#isBadgeMissing
  }

  /** What the tab's node is to know. */
  get terms(): LendingTerms {
    return { ...this.#terms, isOn: this.#isOn }
  }

  /** True and false leave the limits as they are. */
  want(how: boolean | LendingLimits): void {
    this.#wants = how
    // Without what watches them nothing is lent.
    if (typeof how === 'object') this.#limit(how).catch((error: unknown) => reportError(error))
    // A badge may have to be drawn before it can be seen.
    announce(this.#desk)
  }

  /** The session has entered its room, or left it. */
  roomChanged(): void {
    announce(this.#desk)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isOn = false
    this.#isBadgeMissing = false
    this.#endWatch?.()
    clearTimeout(this.#patience)
    this.#desk.lenders.delete(this.#options.lender)
    this.#desk.listeners.delete(this.#evaluate)
    announce(this.#desk)
  }

  readonly #evaluate = (): void => {
    const mayLend = this.isWanted && !this.#isHeld && this.#options.lender.room !== undefined
    const isOn = mayLend && isSignShown(this.#desk)
    const wasOn = this.#isOn
    this.#isOn = isOn
    clearTimeout(this.#patience)
    const isMissing = mayLend && !isOn && (wasOn || this.#isBadgeMissing)
    if (mayLend && !isOn && !isMissing) this.#patience = setTimeout(this.#miss, PATIENCE_MS)
    if (isOn !== wasOn || isMissing !== this.#isBadgeMissing) {
      this.#isBadgeMissing = isMissing
      this.#options.changed()
    }
  }

  async #limit(limits: LendingLimits): Promise<void> {
    this.#limits = limits
    // While it lends, those from before hold until these do.
    this.#isHeld ||= !this.#isOn
    const load = this.#options.loadWatch ?? (() => import('./watch-limits.ts'))
    const { watchLimits } = await load()
    if (this.#limits !== limits || this.#isClosed) return
    this.#endWatch?.()
    this.#endWatch = watchLimits(limits, (terms) => {
      this.#terms = terms
      this.#isHeld = false
      announce(this.#desk)
      this.#options.changed()
    })
  }

  readonly #miss = (): void => {
    this.#isBadgeMissing = true
    this.#options.changed()
  }
}
