import { CoreWorker } from '@shoal/core-worker'
import { LIMITS, ObjectFreedError, parseNodeId } from '@shoal/protocol'
import type { RoomSecret } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeptRefs } from './kept-refs.ts'
import type { TabStorage } from './kept-refs.ts'

const ROOM: RoomSecret = { kind: 'owner', roomKey: new Uint8Array(16).fill(1), ownerSeed: new Uint8Array(32).fill(2) }
const FIRST = parseNodeId('11'.repeat(16))
const SECOND = parseNodeId('22'.repeat(16))
const key = (byte: number): { publicKey: Uint8Array<ArrayBuffer> } => ({ publicKey: new Uint8Array(32).fill(byte) })

class PlayedStorage implements TabStorage {
  readonly items = new Map<string, string>()
  isFull = false

  getItem(at: string): string | null {
    return this.items.get(at) ?? null
  }

  setItem(at: string, text: string): void {
    if (this.isFull) throw new DOMException('full', 'QuotaExceededError')
    this.items.set(at, text)
  }

  removeItem(at: string): void {
    this.items.delete(at)
  }
}

let storage: PlayedStorage
let pages: KeptRefs[]

const newCore = (): CoreWorker =>
  new CoreWorker({
    port: { post: () => undefined, onFrame: () => undefined, close: () => undefined },
    clock: { now: () => 0, after: () => ({ cancel: () => undefined }) },
    submitter: 0,
  })

function open(from: TabStorage | 'none' = storage): { kept: KeptRefs; core: CoreWorker } {
  const core = newCore()
  const kept = new KeptRefs(core, from === 'none' ? undefined : from)
  pages.push(kept)
  return { kept, core }
}

beforeEach(() => {
  storage = new PlayedStorage()
  pages = []
})

afterEach(() => {
  for (const page of pages) page.left(false)
})

describe('refs that a page keeps', () => {
  it('[SR8] are found by the page after its reload, with what claims them', () => {
    const { kept, core } = open()
    const first = kept.enter(ROOM)
    expect(first).toMatchObject({ former: [], kept: [] })
    kept.entered(FIRST, key(1))
    kept.keep('a', core.put(1))
    kept.keep('b', core.put(2))
    kept.keep('b', undefined)
    // What a reload does.
    kept.left(false)
    const again = open().kept
    const second = again.enter(ROOM)
    expect(second?.former).toEqual([{ node: FIRST, ...key(1), secret: first?.secret }])
    expect(second?.kept).toEqual([{ owner: FIRST, number: 1 }])
    expect(second?.secret).not.toEqual(first?.secret)
    // Nothing before the room was entered: nobody could be asked for it.
    expect(again.kept('a')).toBeUndefined()
    again.entered(SECOND, key(2))
    expect(again.kept('a')?.id).toBe(`${FIRST}/1`)
    expect(again.kept('b')).toBeUndefined()
    again.left(false)
    expect(
      open()
        .kept.enter(ROOM)
        ?.former.map(({ node }) => node),
    ).toEqual([SECOND, FIRST])
  })

  it('[SR8] are bounded in number, name and lives, and refuse what is no ref', () => {
    const { kept, core } = open()
    const ref = core.put(1)
    for (let i = 0; i < LIMITS.keptRefs; i++) kept.keep(`name ${i}`, ref)
    kept.keep('name 0', ref)
    expect(() => kept.keep('more', ref)).toThrow(RangeError)
    expect(() => kept.keep('', ref)).toThrow(RangeError)
    expect(() => kept.keep('x'.repeat(257), ref)).toThrow(RangeError)
    expect(() => kept.keep('x', 1 as never)).toThrow(TypeError)
    expect(() => kept.keep('name 1', newCore().put(1))).toThrow('another session')
    ref.release()
    expect(() => kept.keep('name 1', ref)).toThrow(ObjectFreedError)
    expect(kept.kept('name 1')).toBeDefined()
    kept.left(false)
    for (let life = 0; life < 12; life++) {
      const page = open().kept
      expect(page.enter(ROOM)?.former.length).toBe(Math.min(life, LIMITS.formerSelves))
      page.entered(FIRST, key(1))
      page.left(false)
    }
  })

  it('[SR8] are forgotten when the room is left, and were never stored elsewhere', () => {
    const { kept, core } = open()
    kept.enter(ROOM)
    kept.entered(FIRST, key(1))
    kept.keep('a', core.put(1))
    expect([...storage.items.keys()]).toEqual([expect.stringMatching(/^shoal-driver .{4}$/)])
    kept.left(true)
    expect(storage.items.size).toBe(0)
    expect(kept.kept('a')).toBeUndefined()
  })

  it('[SR8] live as long as the page where it may not store them, or its entry is damaged', () => {
    for (const from of ['none', storage] as const) {
      storage.isFull = true
      const { kept, core } = open(from)
      expect(kept.enter(ROOM)?.former).toEqual(from === 'none' ? undefined : [])
      kept.entered(FIRST, key(1))
      kept.keep('a', core.put(1))
      expect(kept.kept('a')).toBeDefined()
      kept.left(false)
      storage.isFull = false
    }
    const { kept } = open()
    kept.enter(ROOM)
    kept.entered(FIRST, key(1))
    kept.left(false)
    const [place = ''] = storage.items.keys()
    for (const text of [
      '',
      'null',
      '{"selves":[["x","y","z"]],"names":[]}',
      '{"selves":[],"names":[["a","b"]]}',
      '[]',
    ]) {
      storage.items.set(place, text)
      const page = open().kept
      expect(page.enter(ROOM)).toMatchObject({ former: [], kept: [] })
      page.left(false)
    }
  })

  it('[SR8] are those of one session of a page in a room', () => {
    const { kept } = open()
    expect(kept.enter(ROOM)).toBeDefined()
    expect(open().kept.enter(ROOM)).toBeUndefined()
  })
})
