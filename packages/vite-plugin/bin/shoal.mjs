#!/usr/bin/env node
// The command in this repository, where it is TypeScript; the packed SDK's own bin is compiled.
import { tsImport } from 'tsx/esm/api'

const { runCli } = await tsImport('../src/cli.ts', import.meta.url)
process.exitCode = await runCli(process.argv.slice(2), {
  cwd: process.cwd(),
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
})
