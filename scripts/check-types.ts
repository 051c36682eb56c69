/** Runs the compiler over both configurations: everything with DOM types, and the core without them. */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'

const configs = ['tsconfig.json', 'tsconfig.core.json']

mkdirSync('.shoal', { recursive: true })
const codes = await Promise.all(configs.map(check))
process.exitCode = codes.some((code) => code !== 0) ? 1 : 0

function check(config: string): Promise<number> {
  const buildInfo = `.shoal/${config.replace('.json', '')}.tsbuildinfo`
  const args = ['-p', config, '--noEmit', '--incremental', '--tsBuildInfoFile', buildInfo, '--pretty', 'false']
  const child = spawn(process.execPath, ['node_modules/typescript/bin/tsc', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      // Printed whole, so that the two runs do not interleave.
      if (code !== 0) process.stdout.write(`${config}:\n${output}`)
      resolve(code ?? 1)
    })
  })
}
