#!/usr/bin/env node
// The command `shoal` of the packed SDK. In this repository bin/shoal.mjs runs the same.
import { runCli } from './cli.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  cwd: process.cwd(),
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
})
