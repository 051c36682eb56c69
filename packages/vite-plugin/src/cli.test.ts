import { readFile, readdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { runCli } from './cli.ts'
import { evaluateBundle, immediateSdk } from './testing/evaluate-bundle.ts'
import { temporaryProject, type TemporaryProject } from './testing/temporary-project.ts'

const FILES = {
  'package.json': '{ "type": "module" }',
  'src/fib.remote.ts': `
    import { remote, get } from '@shoal/sdk'
    export const LIMIT = 7
    export const fib = remote(async (n: number): Promise<number> => n < 2 ? n : (await get(fib.remote(n - 1))) + (await get(fib.remote(n - 2))))`,
  'src/game/board.ts': 'export interface Move { by: number }\nexport class Board { size = 8 }',
  'src/game/game.remote.ts': `
    import { actor, remote } from '@shoal/sdk'
    import { Board, type Move } from './board.ts'
    export const Game = actor(class extends Board { play(move: Move): number { return move.by + this.size } })
    export default remote((move: Move) => move)`,
  // The page's SDK, where it is no package.
  'public/shoal.js': `export const moduleFunction = (bundle, exportName, details) => ({ bundle, exportName, details })
    export const moduleActor = moduleFunction`,
}

interface Ran {
  readonly code: number
  readonly out: readonly string[]
  readonly errors: readonly string[]
}

async function run(project: TemporaryProject, ...args: string[]): Promise<Ran> {
  const out: string[] = []
  const errors: string[] = []
  const code = await runCli(args, {
    cwd: project.root,
    out: (line) => out.push(line),
    error: (line) => errors.push(line),
  })
  return { code, out, errors }
}

/** The SDK's types, as far as these modules use them. */
const SDK_TYPES = {
  'node_modules/@shoal/sdk/package.json': '{ "name": "@shoal/sdk", "types": "./index.d.ts" }',
  'node_modules/@shoal/sdk/index.d.ts': `
    export declare class ObjectRef<T> { #type: T }
    export declare class RemoteFunction<A extends readonly unknown[], R> { remote(...args: A): ObjectRef<R> }
    export type ActorHandle<I> = {
      readonly [K in keyof I as I[K] extends (...args: never[]) => unknown ? K : never]:
        I[K] extends (...args: infer A) => infer R ? { remote(...args: A): ObjectRef<Awaited<R>> } : never
    }
    export declare class ActorClass<C extends readonly unknown[], I> { remote(...args: C): ActorHandle<I> }
    export declare function remote<A extends readonly unknown[], R>(fn: (...args: A) => R): RemoteFunction<A, Awaited<R>>
    export declare function actor<A extends readonly unknown[], I>(Class: new (...args: A) => I): ActorClass<A, I>
    export declare function get<T>(ref: ObjectRef<T>): Promise<T>`,
}

/** A project that has TypeScript installed. */
async function project(): Promise<TemporaryProject> {
  const made = await temporaryProject({ ...FILES, ...SDK_TYPES })
  const typescript = path.resolve(import.meta.dirname, '../../../node_modules/typescript')
  await symlink(typescript, made.path('node_modules/typescript'), 'dir')
  return made
}

describe('shoal bundle', () => {
  test('writes one module that a page imports, and its types', async () => {
    await using made = await project()
    const ran = await run(made, 'bundle', 'src/fib.remote.ts', '--outdir', 'public', '--sdk', './shoal.js')
    expect(ran).toEqual({ code: 0, out: ['public/fib.remote.js', 'public/fib.remote.d.ts'], errors: [] })
    const { fib, LIMIT } = (await import(pathToFileURL(made.path('public/fib.remote.js')).href)) as {
      fib: { bundle: { name: string; source(): Promise<string>; map?: unknown }; exportName: string }
      LIMIT: number
    }
    expect([LIMIT, fib.exportName, fib.bundle.name, fib.bundle.map]).toEqual([7, 'fib', 'src/fib.remote.ts', undefined])
    const exports = evaluateBundle(await fib.bundle.source(), immediateSdk())
    expect(await (exports.fib as { remote(n: number): Promise<number> }).remote(10)).toBe(55)
    const types = await readFile(made.path('public/fib.remote.d.ts'), 'utf8')
    expect(types).toContain('export declare const fib: import("@shoal/sdk").RemoteFunction<[n: number], number>')
  })

  // TypeScript reads its library twice: a second alone, many on a busy machine.
  test('types that stand in other files come along, and compile', { timeout: 60_000 }, async () => {
    await using made = await project()
    const ran = await run(made, 'bundle', 'src/game/game.remote.ts', '--outdir', 'public', '--sourcemap')
    expect(ran.code).toBe(0)
    expect((await readdir(made.path('public'), { recursive: true })).sort()).toEqual([
      'game.remote.d.ts',
      'game.remote.js',
      'game.remote.map.js',
      'game.remote.types',
      'game.remote.types/board.d.ts',
      'game.remote.types/game.remote.d.ts',
      'shoal.js',
    ])
    await made.write({
      'use.ts': `import play, { Game } from './public/game.remote.js'
        export const handle = Game.remote()
        export const good = handle.play.remote({ by: 1 })
        // @ts-expect-error: a move is an object
        play.remote(1)`,
    })
    const program = ts.createProgram([made.path('use.ts')], {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      types: [],
    })
    const problems = ts.getPreEmitDiagnostics(program, program.getSourceFile(made.path('use.ts')))
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
    expect(await readFile(made.path('public/game.remote.js'), 'utf8')).toMatch(
      /map: \(\) => import\("\.\/game\.remote\.map\.js\?[0-9a-f]{12}"\)/,
    )
  })

  test('says why there are no types', async () => {
    await using made = await temporaryProject(FILES)
    const ran = await run(made, 'bundle', 'src/fib.remote.ts')
    expect(ran).toEqual({
      code: 0,
      out: ['src/fib.remote.js'],
      errors: ['shoal: src/fib.remote.ts: no types were written, since typescript is not installed here'],
    })
    expect((await run(made, 'bundle', 'src/fib.remote.ts', '--no-types')).errors).toEqual([])
  })

  test('refuses what is no remote module, what would lie over its source, and what it does not know', async () => {
    await using made = await temporaryProject({ ...FILES, 'a.remote.js': 'export const x = 1', 'b.ts': '' })
    expect((await run(made, 'bundle', 'b.ts')).errors[0]).toContain('b.ts: a remote module is called')
    expect((await run(made, 'bundle', 'a.remote.js')).errors[0]).toContain('--outdir')
    expect((await run(made, 'bundle', 'gone.remote.ts')).errors[0]).toContain('gone.remote.ts')
    expect((await run(made, 'bundle', 'a.remote.js', '--unknown')).errors[0]).toContain('--unknown')
    expect((await run(made, 'pack')).errors[0]).toContain('unknown command pack')
    for (const ran of [await run(made, 'pack'), await run(made)]) expect(ran.code).toBe(2)
    expect((await run(made, '--help')).out[0]).toContain('shoal bundle')
  })
})
