/** The command `shoal`: so far one word, `bundle`, for pages without a bundler. It writes files and knows no process. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { emitPageModule } from './emit-page-module.ts'
import { RemoteModuleError } from './remote-module-error.ts'

export interface CliHost {
  readonly cwd: string
  out(line: string): void
  error(line: string): void
}

const USAGE = `shoal bundle <file.remote.ts ...> [options]

Makes of each remote module a JavaScript file that a page without a bundler imports with <script type="module">, and its
types: fib.remote.ts becomes fib.remote.js and fib.remote.d.ts.

  --outdir <folder>   where the files go; default: beside the module
  --sdk <specifier>   what the files import the SDK as, e.g. ./shoal.js; default: @shoal/sdk/internal, for an import map
  --root <folder>     what the modules' names in stacks are relative to; default: the working directory
  --sourcemap         writes fib.remote.map.js too: stacks show your lines
  --no-minify         keeps the code readable
  --no-types          writes no fib.remote.d.ts`

/** Runs the command. @returns the exit code */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  const [command, ...rest] = args
  if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
    host.out(USAGE)
    return command === undefined ? 2 : 0
  }
  if (command !== 'bundle') {
    host.error(`shoal: unknown command ${command}\n\n${USAGE}`)
    return 2
  }
  try {
    return await bundle(rest, host)
  } catch (error) {
    // What the user can mend is a sentence; anything else is a fault of ours, with its stack.
    const isTheirs = error instanceof RemoteModuleError || error instanceof TypeError
    host.error(`shoal: ${isTheirs ? error.message : error instanceof Error ? String(error.stack) : String(error)}`)
    return 1
  }
}

async function bundle(args: readonly string[], host: CliHost): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      outdir: { type: 'string' },
      sdk: { type: 'string' },
      root: { type: 'string' },
      sourcemap: { type: 'boolean', default: false },
      minify: { type: 'boolean', default: true },
      types: { type: 'boolean', default: true },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help || positionals.length === 0) {
    host.out(USAGE)
    return values.help ? 0 : 2
  }
  for (const file of positionals) {
    const { files, notes } = await emitPageModule({
      entry: path.resolve(host.cwd, file),
      root: path.resolve(host.cwd, values.root ?? '.'),
      minify: values.minify,
      sourcemap: values.sourcemap,
      types: values.types,
      ...(values.outdir !== undefined && { outDir: path.resolve(host.cwd, values.outdir) }),
      ...(values.sdk !== undefined && { sdk: values.sdk }),
    })
    for (const [target, text] of files) {
      await mkdir(path.dirname(target), { recursive: true })
      await writeFile(target, text)
      host.out(path.relative(host.cwd, target))
    }
    for (const note of notes) host.error(`shoal: ${note}`)
  }
  return 0
}
