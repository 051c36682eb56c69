import path from 'node:path'
import vm from 'node:vm'
import { expect, test } from 'vitest'
import { bundleRequested } from './inline-worker.ts'
import { temporaryProject } from './testing/temporary-project.ts'

const FILES = {
  'package.json': '{ "type": "module" }',
  'shared.ts': `
    export class Thing { own = 'shared' }
    export class Unused { text = 'only the second stage wants it' }`,
  'worker.ts': `
    import { Thing } from './shared.ts'
    declare const shoalStages: object
    const scope = globalThis as unknown as { post(x: unknown): void; thing: unknown }
    scope.post(new Thing())
    scope.post(shoalStages)`,
  'worker-second.ts': `
    import { Thing, Unused } from './shared.ts'
    export const isSame = (thing: unknown): boolean => thing instanceof Thing && 'late' in { late: new Unused() }
    export { Unused as Renamed }`,
}

interface Second {
  isSame(thing: unknown): boolean
  Renamed: new () => { text: string }
}

async function stages(root: string, minify: boolean): Promise<[first: string, second: string]> {
  const bundle = async (kind: string): Promise<string> =>
    (await bundleRequested(`${path.join(root, 'worker.ts')}?shoal-${kind}`, { isProduction: true, minify }))?.code ?? ''
  return Promise.all([bundle('first'), bundle('second')])
}

for (const minify of [true, false])
  test(`the second stage shares the first one's classes, ${minify ? 'minified' : 'as written'}`, async () => {
    await using project = await temporaryProject(FILES)
    const [first, second] = await stages(project.root, minify)
    const posted: unknown[] = []
    const context = vm.createContext({ post: (value: unknown) => posted.push(value) })
    const before = Object.keys(context)
    vm.runInContext(first, context)
    expect(Object.keys(context)).toEqual(before)
    const [thing, link] = posted as [object, { mark: string }]
    expect(second.startsWith(`//${link.mark}\n`)).toBe(true)
    const made = (vm.runInContext(`(text) => new Function('shoalStages', text)`, context) as (text: string) => unknown)(
      second,
    ) as (link: unknown) => Second
    const exports = made(link)
    expect(exports.isSame(thing)).toBe(true)
    expect(new exports.Renamed().text).toBe('only the second stage wants it')
    expect(second).not.toContain('own')
  })

test('as a chunk it waits for what the first stage hands it, and evaluates no text', async () => {
  await using project = await temporaryProject(FILES)
  const [first] = await stages(project.root, true)
  const request = `${path.join(project.root, 'worker.ts')}?shoal-second-chunk`
  const chunk = (await bundleRequested(request, { isProduction: true, minify: true }))?.code ?? ''
  const posted: unknown[] = []
  const context = vm.createContext(
    { post: (value: unknown) => posted.push(value) },
    { codeGeneration: { strings: false, wasm: false } },
  )
  vm.runInContext(first, context)
  vm.runInContext(chunk, context)
  const [thing, link] = posted as [object, { mark: string }]
  const { mark, make } = context['shoalChunk'] as { mark: string; make(link: unknown): Second }
  expect(mark).toBe(link.mark)
  expect(make(link).isSame(thing)).toBe(true)
})

test('the mark is another one when the first stage is', async () => {
  await using one = await temporaryProject(FILES)
  await using other = await temporaryProject({ ...FILES, 'shared.ts': `${FILES['shared.ts']} export const more = 1` })
  await using third = await temporaryProject({
    ...FILES,
    'worker.ts': `${FILES['worker.ts']}; scope.post('another build')`,
  })
  const [a, b, c] = await Promise.all([one, other, third].map(async ({ root }) => (await stages(root, true))[1]))
  expect(b).toBe(a)
  expect(c?.slice(0, 14)).not.toBe(a?.slice(0, 14))
})

test('a first stage that imports its second one is refused', async () => {
  await using project = await temporaryProject({
    ...FILES,
    'worker.ts': `import { isSame } from './worker-second.ts'; console.log(isSame(1))`,
  })
  await expect(stages(project.root, true)).rejects.toThrow()
})
