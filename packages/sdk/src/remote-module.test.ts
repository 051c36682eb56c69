import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundleRemoteModule } from '@shoal/vite-plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isEven } from './fixtures/even.remote.ts'
import { isOdd } from './fixtures/odd.remote.ts'
import unnamed, { callAll, count, nameOfChild, ownName } from './fixtures/unnamed.remote.ts'
import { actor, get, remote } from './index.ts'
import { moduleActor, moduleFunction, replaceBundle } from './internal/index.ts'
import type { ModuleBundle } from './internal/index.ts'
import { createTestRoom } from './testing/index.ts'
import type { TestRoom } from './testing/index.ts'

let room: TestRoom

beforeEach(async () => {
  room = await createTestRoom({ tabs: 2, workers: 2 })
})

afterEach(() => room.close())

describe('functions of one name', () => {
  it('100 inline ones are called 200 times, and each returns its own constant', async () => {
    const functions = Array.from({ length: 100 }, (_, n) =>
      remote({ n }, function f({ n: own }) {
        return own
      }),
    )
    const refs = [...functions, ...functions].map((f) => f.remote())
    expect(await get(refs)).toEqual(refs.map((_, n) => n % 100))
  })

  it('one that is defined anew is the new one, also for a function that was given it', async () => {
    let f = remote(() => 0)
    for (let version = 1; version <= 20; version++) {
      const before = f.remote()
      f = remote({ version }, ({ version: own }) => own)
      const calls = remote({ f, version }, async ({ f: inner, get: fetch, version: own }) => [
        own,
        await fetch(inner.remote()),
      ])
      expect(await get([before, f.remote(), calls.remote()])).toEqual([version - 1, version, [version, version]])
    }
  })

  it('100 of a remote module that exports none of them', async () => {
    expect(await get(callAll.remote())).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })
})

describe('remote modules', () => {
  it('call each other in both directions', async () => {
    expect(await get([isEven.remote(7), isOdd.remote(7), isEven.remote(8), isOdd.remote(0)])).toEqual([
      false,
      true,
      true,
      false,
    ])
  })

  it('have actors and functions that are not exported, and defaults', async () => {
    expect(await get([count.remote(), unnamed.remote()])).toEqual([[1, 2], 'default'])
  })

  it('are handed in by name to inline functions, which wait for their text', async () => {
    const outer = remote({ isEven, more: { ownName } }, async ({ isEven: even, more, get: fetch }, n: number) => [
      await fetch(even.remote(n)),
      await fetch(more.ownName.remote()),
    ])
    const inner = remote({ outer }, ({ outer: given, get: fetch }, n: number) => fetch(given.remote(n)))
    expect(await get([outer.remote(4), outer.remote(5), inner.remote(6)])).toEqual([
      [true, 'ownName'],
      [false, 'ownName'],
      [true, 'ownName'],
    ])
  })

  it('cannot be arguments of a page’s calls, which do not wait, and the refusal says what to do', () => {
    const call = remote({}, ({ get: fetch }, given: { f: typeof ownName }) => fetch(given.f.remote()))
    expect(() => call.remote({ f: ownName })).toThrow('hand it in by name: remote({ ownName }, ...)')
  })

  it('name their tasks by what they export, also when they call each other', async () => {
    expect(await get([ownName.remote(), nameOfChild.remote()])).toEqual(['ownName', 'ownName'])
    expect(await get(ownName.options({ name: 'mine' }).remote())).toBe('mine')
  })
})

describe('versions of one module', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'shoal-'))
  })

  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** The module as it would be after an edit; the text of a version is given out whenever it is asked for. */
  async function versionOf(version: string): Promise<ModuleBundle> {
    await writeFile(
      path.join(folder, 'work.remote.ts'),
      `import { actor, get, remote } from '@shoal/sdk'
      const VERSION = ${JSON.stringify(version)}
      ${version === 'one' ? '' : 'const another = remote(() => "a function that was not there before")'}
      const child = remote(() => VERSION)
      export const run = remote(async () => VERSION + ' ' + await get(child.remote()))
      export const waitFor = remote(async (gate: any) => {
        while (!(await get(gate.isOpen.remote())));
        return VERSION + ' ' + await get(child.remote())
      })
      export const Keeper = actor(class { version() { return VERSION } })`,
    )
    const { code, hash, name } = await bundleRemoteModule({ entry: 'work.remote.ts', root: folder, minify: false })
    return { hash, name, source: () => Promise.resolve(code), shape: 'same' }
  }

  it('never mix, in whatever worker they run', async () => {
    const [one, two] = [await versionOf('one'), await versionOf('two')]
    expect(one.name).toBe(two.name)
    const functions = [one, two].map((bundle) => moduleFunction(bundle, 'run', {}))
    const refs = Array.from({ length: 25 }, () => functions.map((f) => f.remote())).flat()
    expect(await get(refs)).toEqual(refs.map((_, n) => (n % 2 === 0 ? 'one one' : 'two two')))
  })

  it('a hot update gives handles that are there the new code; tasks in flight and actors keep theirs', async () => {
    const one = await versionOf('one')
    const run = moduleFunction(one, 'run', {})
    const named = run.options({ name: 'named' })
    const waitFor = moduleFunction(one, 'waitFor', {})
    const Keeper = moduleActor(one, 'Keeper', { methods: ['version'] })
    type Handle = { version: { remote(): ReturnType<typeof run.remote> } }
    const keeper = Keeper.remote() as unknown as Handle
    const Gate = actor(
      class {
        #isOpen = false
        open(): void {
          this.#isOpen = true
        }
        isOpen(): boolean {
          return this.#isOpen
        }
      },
    )
    const gate = Gate.remote()
    const slow = waitFor.remote(gate as never)
    expect(await get([run.remote(), keeper.version.remote()])).toEqual(['one one', 'one'])

    let before = one
    for (const version of ['two', 'three']) {
      const next = await versionOf(version)
      expect(replaceBundle(before, next)).toBe(true)
      before = next
      expect(await get([run.remote(), named.remote()])).toEqual([`${version} ${version}`, `${version} ${version}`])
    }
    await get(gate.open.remote())
    expect(await get([slow, keeper.version.remote()])).toEqual(['one one', 'one'])
    expect(await get((Keeper.remote() as unknown as Handle).version.remote())).toBe('three')
  })

  it('a hot update that exports other things changes no handle', async () => {
    const one = await versionOf('one')
    const run = moduleFunction(one, 'run', {})
    expect(replaceBundle(one, { ...(await versionOf('two')), shape: 'other' })).toBe(false)
    expect(await get(run.remote())).toBe('one one')
  })
})
