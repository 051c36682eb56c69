import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { mapStacks } from './map-stacks.ts'
import type { StackSources } from './map-stacks.ts'
import type { ModuleBundle } from './module-bundles.ts'

const SOURCE = `type Move = { by: number }

export function play(move: Move): number {
  if (move.by > 3) throw new RangeError('too far')
  return move.by
}
`
let bundles = 0

/** What the compiler makes of SOURCE, as a bundle of the given version. */
function compiled(version: string): ModuleBundle & { readonly text: string } {
  const { outputText, sourceMapText } = ts.transpileModule(SOURCE, {
    fileName: 'game.remote.ts',
    compilerOptions: { sourceMap: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
  })
  const map = JSON.parse(sourceMapText ?? '{}') as { sources: string[] }
  map.sources = ['shoal:///src/game.remote.ts']
  return {
    hash: version.padEnd(56, '0') + String(++bundles).padStart(8, '0'),
    name: 'src/game.remote.ts',
    text: outputText,
    source: () => Promise.resolve(outputText),
    map: () => Promise.resolve(JSON.stringify(map)),
  }
}

function sources(bundle: ModuleBundle, sites: Record<string, string> = {}): StackSources {
  return {
    bundle: (version) => (bundle.hash.startsWith(version) ? bundle : undefined),
    callSite: (mark) => sites[mark],
  }
}

function placeOf(text: string, part: string): string {
  const before = text.slice(0, text.indexOf(part)).split('\n')
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

function errorWith(stack: string, cause?: unknown): Error {
  const error = new Error('it failed', { cause })
  error.stack = stack
  return error
}

describe('stacks of remote code at the driver', () => {
  it('name the line of the file, in the causes too', async () => {
    const bundle = compiled('aaaaaaaaaaaa')
    const place = placeOf(bundle.text, 'new RangeError')
    const cause = errorWith(`RangeError: too far\n    at play (shoal:src/game.remote.ts?aaaaaaaaaaaa:${place})`)
    const error = errorWith(`TaskError: it failed\n    at play (shoal:src/game.remote.ts?aaaaaaaaaaaa:${place})`, cause)
    await mapStacks(error, sources(bundle))
    const line = `    at play (src/game.remote.ts:${placeOf(SOURCE, 'new RangeError')})`
    expect(error.stack).toBe(`TaskError: it failed\n${line}`)
    expect(cause.stack).toBe(`RangeError: too far\n${line}`)
  })

  it('keep the place in the bundle where there is no map, or where it cannot be had', async () => {
    const bundle = compiled('bbbbbbbbbbbb')
    const stack =
      'E: x\n    at shoal:src/a%20b.remote.ts?cccccccccccc:3:1\n    at g (shoal:src/g.remote.ts?bbbbbbbbbbbb:3:1)'
    const error = errorWith(stack)
    await mapStacks(error, sources({ ...bundle, map: () => Promise.reject(new Error('the server is away')) }))
    expect(error.stack).toBe(
      'E: x\n    at src/a b.remote.ts?cccccccccccc:3:1\n    at g (src/g.remote.ts?bbbbbbbbbbbb:3:1)',
    )
  })

  it('asks again for a map that could not be had', async () => {
    const bundle = compiled('dddddddddddd')
    const place = placeOf(bundle.text, 'new RangeError')
    const stack = `E: x\n    at play (shoal:src/game.remote.ts?dddddddddddd:${place})`
    await mapStacks(errorWith(stack), sources({ ...bundle, map: () => Promise.reject(new Error('away')) }))
    const error = errorWith(stack)
    await mapStacks(error, sources(bundle))
    expect(error.stack).toContain(`src/game.remote.ts:${placeOf(SOURCE, 'new RangeError')}`)
  })

  it('say of an inline function which remote() it was given to', async () => {
    const error = errorWith('E: x\n    at scale (shoal:inline:scale?01234567:2:5)\n    at shoal:inline:f?89abcdef:1:3')
    await mapStacks(error, sources(compiled('e'), { '01234567': 'at setUp (http://localhost/src/main.ts:7:15)' }))
    expect(error.stack).toBe(
      'E: x\n    at scale (line 2 of its text, remote() called at setUp http://localhost/src/main.ts:7:15)' +
        '\n    at f (line 1 of its text)',
    )
  })

  it('leaves other stacks and other values alone', async () => {
    const error = new Error('of the page')
    const { stack } = error
    await mapStacks(error, sources(compiled('f')))
    await mapStacks('not an error', sources(compiled('f')))
    expect(error.stack).toBe(stack)
  })
})
