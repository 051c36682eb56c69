/**
 * How much of this device a person lends: what the page asks, what this browser remembers of it, and what the SDK is told.
 * Where storage is off, or holds nonsense, the defaults stand.
 */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import type { LendingLimits } from '@shoal/sdk'

export interface LendingSettings {
  /** 0: all that this tab has. */
  readonly workers: number
  /** Of the time. */
  readonly percent: number
  /** 0: what is usual on this device. */
  readonly memoryMb: number
  /** 0: any. */
  readonly hourlyMb: number
  readonly onBattery: boolean
  readonly metered: boolean
  readonly hidden: boolean
}

/** Somebody's phone bill is no default. */
export const DEFAULT_SETTINGS: LendingSettings = {
  workers: 0,
  percent: 100,
  memoryMb: 0,
  hourlyMb: 0,
  onBattery: false,
  metered: true,
  hidden: false,
}

export const PERCENTS = [25, 50, 75, 100] as const
export const MEMORY_MB = [0, 128, 256, 512, 1024] as const
export const HOURLY_MB = [0, 50, 200, 1000, 5000] as const

const KEY = 'shoal.lending'
const MIB = 1024 ** 2

export class SettingsOfLending {
  readonly #value = signal<LendingSettings>(recall())
  readonly value: ReadonlySignal<LendingSettings> = this.#value

  change(part: Partial<LendingSettings>): void {
    this.#value.value = { ...this.#value.peek(), ...part }
    remember(this.#value.peek())
  }
}

/** As the SDK takes them. */
export function toLimits({ workers, percent, memoryMb, hourlyMb, ...pauseWhen }: LendingSettings): LendingLimits {
  return {
    ...(workers > 0 && { workers }),
    dutyCycle: percent / 100,
    ...(memoryMb > 0 && { memoryBytes: memoryMb * MIB }),
    ...(hourlyMb > 0 && { bytesPerHour: hourlyMb * 1_000_000 }),
    pauseWhen,
  }
}

/** The settings in a text that this page wrote, or another version of it: whatever makes no sense is as by default. */
export function parseSettings(text: string | null): LendingSettings {
  const found = parsed(text)
  const number = (name: 'percent' | 'memoryMb' | 'hourlyMb', of: readonly number[]): number =>
    of.includes(found[name] as number) ? (found[name] as number) : DEFAULT_SETTINGS[name]
  const flag = (name: 'onBattery' | 'metered' | 'hidden'): boolean =>
    typeof found[name] === 'boolean' ? found[name] : DEFAULT_SETTINGS[name]
  const { workers } = found
  return {
    workers:
      Number.isInteger(workers) && (workers as number) > 0 && (workers as number) <= 256 ? (workers as number) : 0,
    percent: number('percent', PERCENTS),
    memoryMb: number('memoryMb', MEMORY_MB),
    hourlyMb: number('hourlyMb', HOURLY_MB),
    onBattery: flag('onBattery'),
    metered: flag('metered'),
    hidden: flag('hidden'),
  }
}

function parsed(text: string | null): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text ?? '{}')
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function recall(): LendingSettings {
  try {
    return parseSettings(localStorage.getItem(KEY))
  } catch {
    return DEFAULT_SETTINGS
  }
}

function remember(settings: LendingSettings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings))
  } catch {
    // Storage is off or full: they hold for this visit.
  }
}
