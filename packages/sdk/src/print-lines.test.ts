import type { LogLine } from '@shoal/protocol'
import { expect, it, vi } from 'vitest'
import type { ModuleBundle } from './module-bundles.ts'
import { createLinePrinter } from './print-lines.ts'

const line = (text: string): LogLine => ({ name: 'work', node: 'abcdef0123', level: 'log', text }) as LogLine

it('prints in the order of the lines, with stacks mapped, and at once when there is none', async () => {
  const printed: string[] = []
  let give!: (map: string) => void
  const map = new Promise<string>((resolve) => (give = resolve))
  const bundle: ModuleBundle = {
    hash: 'aaaaaaaaaaaa',
    name: 'a.remote.ts',
    source: () => Promise.resolve(''),
    map: () => map,
  }
  const print = createLinePrinter({ bundle: () => bundle, callSite: () => undefined }, (level, text) =>
    printed.push(`${level} ${text}`),
  )
  print(line('first'))
  expect(printed).toEqual(['log (work @abcdef) first'])
  print(line('Error: x\n    at f (shoal:a.remote.ts?aaaaaaaaaaaa:1:1)'))
  print(line('third'))
  expect(printed).toHaveLength(1)
  give(JSON.stringify({ version: 3, sources: ['shoal:///src/a.remote.ts'], names: [], mappings: 'AAIA' }))
  await vi.waitFor(() => expect(printed).toHaveLength(3))
  expect(printed.slice(1)).toEqual([
    'log (work @abcdef) Error: x\n    at f (src/a.remote.ts:5:1)',
    'log (work @abcdef) third',
  ])
  print(line('fourth'))
  expect(printed).toHaveLength(4)
})
