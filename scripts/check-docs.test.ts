import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { shutdown } from '@shoal/sdk'
import { createTestRoom } from '@shoal/sdk/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkDocs } from './check-docs.ts'
import { readBlocks } from './check-docs/read-blocks.ts'
import { evaluate } from './check-docs/write-blocks.ts'

const { faults, blocks } = checkDocs()

describe('what people read', () => {
  it('compiles, and each export has a docstring and what is called an example', () => {
    expect(faults).toEqual([])
  })

  it('is run where nothing speaks against it', () => {
    expect(blocks.filter(({ mode }) => mode === 'run').length).toBeGreaterThan(blocks.length / 2)
  })
})

describe('docs/from-ray.md', () => {
  it('names rules that exist', () => {
    const rules = readdirSync('packages').flatMap((name) => {
      const spec = `packages/${name}/SPEC.md`
      return existsSync(spec)
        ? [...readFileSync(spec, 'utf8').matchAll(/\*\*([A-Z]{1,3}\d+)\*\*/g)].map(([, id]) => id)
        : []
    })
    const [, cases = ''] = readFileSync('docs/from-ray.md', 'utf8').split("## Ray's own test cases")
    const named = [...cases.matchAll(/\b([STRE][A-Z]?\d+)\b/g)].map(([, id]) => id)
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter((id) => !rules.includes(id))).toEqual([])
  })
})

describe('a code block of', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  const runnable = blocks.filter(({ runPath }) => runPath !== undefined)
  it.each(runnable)('$file:$line runs and gives what its comments say', async ({ file, code, runPath = '' }) => {
    const shown: { readonly line: number; readonly expected: unknown; readonly actual: unknown }[] = []
    vi.stubGlobal('shown', (line: number, expected: string, ...values: unknown[]) => {
      shown.push({ line, expected: evaluate(expected), actual: values.length === 1 ? values[0] : values })
    })
    // What examples touch of a page.
    vi.stubGlobal('location', new URL('https://app.example/'))
    vi.stubGlobal('addEventListener', () => undefined)
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    // One that shows how to open a room opens its own.
    const room = code.includes('createTestRoom(') ? undefined : await createTestRoom({ tabs: 2, console: false })
    try {
      await import(/* @vite-ignore */ runPath)
    } finally {
      await room?.close()
      // Of a block that failed before it closed its own: the next one must not meet it.
      await shutdown()
    }
    for (const { line, expected, actual } of shown) expect(actual, `${file}:${line}`).toEqual(expected)
  })
})

describe('readBlocks', () => {
  const fenced = (code: string): string => `\`\`\`ts\n${code}\n\`\`\`\n`

  it('takes TypeScript, with the line where it stands', () => {
    expect(readBlocks('a.md', `# A\n\n${fenced('1 + 1')}\n\`\`\`sh\nls\n\`\`\`\n`)).toMatchObject([
      { file: 'a.md', line: 4, code: '1 + 1', mode: 'run' },
    ])
  })

  it('does what a comment says: check, skip, file, continues', () => {
    const page = [
      `<!-- docs: check, it needs a page -->\n\n${fenced('document')}`,
      `<!-- docs: skip, an outline -->\n${fenced('...')}`,
      `<!-- docs: file fib.remote.ts -->\n${fenced('export {}')}`,
      `${fenced('const a = 1')}\nText.\n\n<!-- docs: continues -->\n${fenced('a')}`,
    ].join('\n')
    const [checked, named, joined, ...none] = readBlocks('a.md', page)
    expect(checked).toMatchObject({ mode: 'check', code: 'document' })
    expect(named).toMatchObject({ mode: 'file', name: 'fib.remote.ts' })
    const lines = joined?.code.split('\n') ?? []
    const last = page.split('\n').findLastIndex((line) => line === 'a') + 1
    expect([lines[0], lines.at(-1), (joined?.line ?? 0) + lines.length - 1]).toEqual(['const a = 1', 'a', last])
    expect(none).toEqual([])
  })

  it('refuses a block without an end, a reason or a known word', () => {
    expect(() => readBlocks('a.md', '```ts\n1')).toThrow('a.md:1')
    expect(() => readBlocks('a.md', `<!-- docs: skip -->\n${fenced('1')}`)).toThrow(/reason/)
    expect(() => readBlocks('a.md', `<!-- docs: later -->\n${fenced('1')}`)).toThrow(/not known/)
    expect(() => readBlocks('a.md', `<!-- docs: continues -->\n${fenced('1')}`)).toThrow(/no block/)
  })
})
