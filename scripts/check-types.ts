/**
 * Runs the compiler over both configurations: everything, with the types of browsers and Node, and the core without.
 *
 * The second proves nothing once those types are in by a back door (a dependency's `/// <reference lib="dom" />`, a JSX
 * runtime), so the files it was compiled with are looked at too.
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'

interface Configuration {
  readonly file: string
  /** Type libraries that must not take part. */
  readonly banned: RegExp | undefined
}

const configurations: readonly Configuration[] = [
  { file: 'tsconfig.json', banned: undefined },
  { file: 'tsconfig.core.json', banned: /\/lib\.(dom|webworker)[^/]*\.d\.ts$|\/@types\/node\// },
]

mkdirSync('.shoal', { recursive: true })
const verdicts = await Promise.all(configurations.map(check))
process.exitCode = verdicts.every((isSound) => isSound) ? 0 : 1

async function check({ file, banned }: Configuration): Promise<boolean> {
  const buildInfo = `.shoal/${file.replace('.json', '')}.tsbuildinfo`
  const incremental = ['--incremental', '--tsBuildInfoFile', buildInfo]
  const { code, lines } = await compile(['-p', file, '--noEmit', ...incremental, '--pretty', 'false', '--listFiles'])
  const isListed = (line: string): boolean => /^(\/|[A-Za-z]:[\\/]).*\.(ts|tsx|mts|cts|json)$/.test(line)
  const messages = lines.filter((line) => line !== '' && !isListed(line))
  const intruder = lines.find((line) => isListed(line) && banned?.test(line.replaceAll('\\', '/')))
  if (intruder !== undefined) messages.push(`compiled with ${intruder}; tsc -p ${file} --explainFiles says why`)
  // Printed whole, so that the two runs do not interleave.
  if (messages.length > 0) console.log([`${file}:`, ...messages].join('\n'))
  return code === 0 && intruder === undefined
}

function compile(args: readonly string[]): Promise<{ code: number; lines: string[] }> {
  const child = spawn(process.execPath, ['node_modules/typescript/bin/tsc', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, lines: output.split(/\r?\n/) }))
  })
}
