import type { RunReport } from '@shoal/room'
import type { RunOptions } from './options.ts'

/** What one tab did. */
export interface TabFigures {
  readonly nodeId: string
  readonly tasksRun: number
  readonly cpuMs: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** Tells the run to a person, or as JSON lines to a program. */
export interface Printer {
  opening(options: RunOptions, url: string): void
  open(link: string): void
  progress(report: RunReport, tabs: number): void
  table(tabs: readonly TabFigures[], report: RunReport): void
  ended(report: RunReport, options: RunOptions): void
  warn(message: string): void
  failed(message: string): void
}

interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export function createPrinter(isJson: boolean, output: Output): Printer {
  return isJson ? jsonPrinter(output) : textPrinter(output)
}

function jsonPrinter(output: Output): Printer {
  const line = (value: object): void => void output.write(`${JSON.stringify(value)}\n`)
  return {
    opening: ({ tabs, run }, url) => line({ type: 'opening', tabs, run, url }),
    open: (link) => line({ type: 'open', link }),
    progress: ({ iteration, meanReturn, evalReturn, stepsPerSecond, state }, tabs) =>
      line({ type: 'progress', state, iteration, meanReturn, evalReturn, stepsPerSecond, tabs }),
    table: (tabs) => tabs.forEach((tab) => line({ type: 'tab', ...tab })),
    ended: ({ state, solved, iteration, meanReturn, evalReturn, error }) =>
      line({ type: 'ended', state, solved, iteration, meanReturn, evalReturn, error }),
    warn: (message) => line({ type: 'warning', message }),
    failed: (message) => line({ type: 'failed', message }),
  }
}

function textPrinter(output: Output): Printer {
  let isLineOpen = false
  let lastIteration = 0
  let hasFailed = false
  const say = (text: string): void => {
    if (isLineOpen) output.write('\n')
    isLineOpen = false
    output.write(`${text}\n`)
  }
  return {
    opening: ({ tabs, run }, url) =>
      say(`Opening ${tabs} headless ${tabs === 1 ? 'tab' : 'tabs'} at ${url}${run === undefined ? '' : ` for ${run}`}`),
    open: (link) => say(`The tabs are in this room: ${link}\nPress Ctrl-C to close them.`),
    progress(report, tabs) {
      if (hasFailed || report.iteration === 0) return
      const text = `  iteration ${report.iteration}  mean return ${number(report.meanReturn)}  test ${number(report.evalReturn)}  ${steps(report.stepsPerSecond)} steps/s  ${tabs} ${tabs === 1 ? 'tab' : 'tabs'}`
      // One live line on a terminal; in a log file a line now and then.
      if (output.isTTY === true) {
        output.write(`\r\x1b[2K${text}`)
        isLineOpen = true
      } else if (report.iteration >= lastIteration + 5 || report.state !== 'running') {
        if (report.iteration !== lastIteration) output.write(`${text}\n`)
        lastIteration = report.iteration
      }
    },
    table(tabs) {
      say('')
      say(
        `  ${'tab'.padEnd(10)}${'tasks'.padStart(8)}${'CPU'.padStart(10)}${'sent'.padStart(12)}${'received'.padStart(12)}`,
      )
      tabs.forEach((tab, index) => {
        const name = `${tab.nodeId.slice(0, 6)}${index === 0 ? ' *' : ''}`
        const cpu = `${(tab.cpuMs / 1000).toFixed(2)} s`
        say(
          `  ${name.padEnd(10)}${String(tab.tasksRun).padStart(8)}${cpu.padStart(10)}${bytes(tab.bytesSent).padStart(12)}${bytes(tab.bytesReceived).padStart(12)}`,
        )
      })
      say('  * the tab that drove the run\n')
    },
    ended(report) {
      if (report.solved)
        say(report.name === 'mandelbrot' ? 'Done: the picture is whole.' : `Solved in ${report.iteration} iterations.`)
      else say(`Not solved: ${report.error ?? `the run ${report.state} after ${report.iteration} iterations`}`)
    },
    warn: (message) => say(message),
    failed(message) {
      hasFailed = true
      say(`Failed: ${message}`)
    },
  }
}

function number(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(1)
}

function steps(value: number): string {
  return value >= 1000 ? `${Math.round(value / 1000)} k` : String(Math.round(value))
}

function bytes(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e3).toFixed(1)} kB`
}
