/**
 * Runs one child to its end. It owns the signals meanwhile: a Ctrl-C must end the child first and us after it,
 * or npm's prompt returns while the server is still closing its rooms.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { root } from './paths.mjs'

const FORWARDED = process.platform === 'win32' ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP']

/** How long a child that the terminal has already told to stop may take before we tell it again. */
const SECOND_CALL_MS = 5000

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, stdio?: import('node:child_process').StdioOptions,
 *   shell?: boolean, silenceLimitMs?: number, onOutput?: (text: string) => void, onSpawn?: (pid: number) => void }} [options]
 *   silenceLimitMs ends a child that has printed nothing for that long; its output goes to onOutput then
 * @returns {Promise<{ code: number, output: string, interrupted: boolean, timedOut: boolean }>} code is 128 + n for a
 *   child ended by signal n, 127 for one that could not be started; output is what was piped, else ''
 */
export function runChild(command, args, options = {}) {
  const { silenceLimitMs, onOutput, onSpawn, ...spawnOptions } = options
  const stdio = silenceLimitMs === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe']
  const child = spawn(command, args, { cwd: root, stdio, ...spawnOptions })
  if (child.pid !== undefined) onSpawn?.(child.pid)

  let output = ''
  let interrupted = false
  let timedOut = false
  let silence
  let secondCall
  const heard = () => {
    if (silenceLimitMs === undefined) return
    clearTimeout(silence)
    silence = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, silenceLimitMs)
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
      heard()
      onOutput?.(text)
    })
  }
  heard()

  const forward = (signal) => {
    interrupted = true
    const isFromTerminal = signal === 'SIGINT' && (process.stdin.isTTY || process.stdout.isTTY)
    // A terminal sends Ctrl-C to the whole group: the child has it already, and a second one may mean "at once".
    if (!isFromTerminal) child.kill(signal)
    else secondCall ??= setTimeout(() => child.kill('SIGTERM'), SECOND_CALL_MS)
  }
  const listeners = FORWARDED.map((signal) => [signal, () => forward(signal)])
  for (const [signal, listener] of listeners) process.on(signal, listener)

  return new Promise((resolve) => {
    let settled = false
    const settle = (code) => {
      if (settled) return
      settled = true
      clearTimeout(silence)
      clearTimeout(secondCall)
      for (const [signal, listener] of listeners) process.off(signal, listener)
      resolve({ code, output, interrupted, timedOut })
    }
    child.on('error', (error) => {
      output += error.message
      settle(127)
    })
    child.on('close', (code, signal) => settle(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

/** Runs a Node program (a tool's entry file or `--import tsx x.ts`) with this very Node. */
export function runNode(args, options) {
  return runChild(process.execPath, args, options)
}
