import { parseArgs } from 'node:util'

export const RUNS = ['es-cartpole', 'es-pendulum', 'ppo-lunar-lander', 'alphazero-connect-four', 'mandelbrot'] as const
export type RunName = (typeof RUNS)[number]

export interface RunOptions {
  readonly tabs: number
  /** Undefined: the tabs stay open until Ctrl-C. */
  readonly run: RunName | undefined
  readonly timeoutMs: number
  readonly isJson: boolean
  readonly port: number | undefined
  readonly chromium: string | undefined
}

/** Reads the flags that `scripts/main.mjs` passes on. @throws RangeError naming the flag. */
export function readRunOptions(args: readonly string[]): RunOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: {
      tabs: { type: 'string', default: '3' },
      run: { type: 'string' },
      timeout: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
      port: { type: 'string' },
      chromium: { type: 'string' },
    },
  })
  const run = values.run as RunName | undefined
  if (run !== undefined && !RUNS.includes(run))
    throw new RangeError(`--run must be one of ${RUNS.join(', ')}, got ${run}`)
  return {
    tabs: wholeNumber('tabs', values.tabs, 1, 64),
    run,
    timeoutMs: wholeNumber('timeout', values.timeout, 1, 86_400) * 1000,
    isJson: values.json === true,
    port: values.port === undefined ? undefined : wholeNumber('port', values.port, 0, 65_535),
    chromium: values.chromium as string | undefined,
  }
}

function wholeNumber(flag: string, value: unknown, least: number, most: number): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < least || number > most)
    throw new RangeError(`--${flag} must be a whole number from ${least} to ${most}, got ${String(value)}`)
  return number
}
