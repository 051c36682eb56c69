import { LIMITS } from '@shoal/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import type { Link, LinkEnd } from '../link.ts'

export interface ContractPair {
  readonly a: Link
  readonly b: Link
  /** Frees what the pair holds beyond its links. */
  dispose?(): void | Promise<void>
}

type Bytes = Uint8Array<ArrayBuffer>

/** What an end heard, with promises for "so much was heard". */
class Ear {
  readonly control: Bytes[] = []
  readonly bulk: Bytes[] = []
  readonly ends: LinkEnd[] = []
  /** Everything, in the order in which it came. */
  readonly order: string[] = []
  #waiters: { readonly holds: () => boolean; readonly resolve: () => void }[] = []

  constructor(link: Link) {
    link.start({
      control: (bytes) => {
        this.control.push(bytes)
        this.#heard('control')
      },
      bulk: (bytes) => {
        this.bulk.push(bytes)
        this.#heard('bulk')
      },
      ended: (why) => {
        this.ends.push(why)
        this.#heard('ended')
      },
    })
  }

  /** Resolves once `holds` does; the test's own time limit is the deadline. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ holds, resolve }))
  }

  #heard(what: string): void {
    this.order.push(what)
    for (const waiter of this.#waiters.filter(({ holds }) => holds())) {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
      waiter.resolve()
    }
  }
}

function pattern(length: number, seed: number): Bytes {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed * 17 + (i >> 8)) & 0xff
  return bytes
}

/** Without a diff, which would take seconds at this size; the suite runs in browsers too, which have no Buffer. */
function isSame(one: Bytes | undefined, other: Bytes): boolean {
  return one !== undefined && one.length === other.length && one.every((byte, i) => byte === other[i])
}

const numbered = (number: number): Bytes => Uint8Array.of(number & 0xff, number >> 8)
const numberIn = (bytes: Bytes): number => (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** The rules that every Link keeps, whatever carries it. Run by each adapter's own test. */
export function linkContract(name: string, createPair: () => ContractPair | Promise<ContractPair>): void {
  describe(`${name} keeps the link contract`, () => {
    let pair: ContractPair | undefined
    const open = async (): Promise<ContractPair> => (pair = await createPair())
    afterEach(async () => {
      pair?.a.close()
      pair?.b.close()
      await pair?.dispose?.()
      pair = undefined
    })

    it('[TR1] delivers control messages whole and in order, both ways', async () => {
      const { a, b } = await open()
      const [earA, earB] = [new Ear(a), new Ear(b)]
      for (let i = 0; i < 500; i++) {
        a.sendControl(numbered(i))
        b.sendControl(numbered(i))
      }
      await earB.until(() => earB.control.length === 500)
      await earA.until(() => earA.control.length === 500)
      expect(earA.control.map(numberIn)).toEqual(upTo(500))
      expect(earB.control.map(numberIn)).toEqual(upTo(500))
    })

    it('[TR1] delivers bulk messages in order among themselves', async () => {
      const { a, b } = await open()
      const ear = new Ear(b)
      new Ear(a)
      for (let i = 0; i < 100; i++) {
        a.sendBulk(numbered(i))
        a.sendControl(numbered(i))
      }
      await ear.until(() => ear.bulk.length === 100 && ear.control.length === 100)
      expect(ear.bulk.map(numberIn)).toEqual(upTo(100))
      expect(ear.control.map(numberIn)).toEqual(upTo(100))
    })

    it('[TR1] keeps what comes before start, and delivers it first', async () => {
      const { a, b } = await open()
      new Ear(a)
      for (let i = 0; i < 10; i++) a.sendControl(numbered(i))
      const seen = new Promise<void>((resolve) => {
        b.sendControl(numbered(0))
        queueMicrotask(resolve)
      })
      await seen
      const ear = new Ear(b)
      a.sendControl(numbered(10))
      await ear.until(() => ear.control.length === 11)
      expect(ear.control.map(numberIn)).toEqual(upTo(11))
    })

    it('[TR1] gives the receiver bytes of its own', async () => {
      const { a, b } = await open()
      const ear = new Ear(b)
      new Ear(a)
      // A view into a larger buffer, as a writer hands out.
      const large = pattern(64, 1)
      a.sendControl(large.subarray(8, 24))
      a.sendControl(pattern(16, 2))
      await ear.until(() => ear.control.length === 2)
      expect(ear.control[0]).toEqual(pattern(64, 1).slice(8, 24))
      ear.control[0]?.fill(0)
      expect(ear.control[1]).toEqual(pattern(16, 2))
    })

    it('[TR1] carries the largest messages allowed', async () => {
      const { a, b } = await open()
      const ear = new Ear(b)
      new Ear(a)
      const control = LIMITS.controlMessageBytes + 256
      const bulk = LIMITS.bulkChunkBytes + 64
      a.sendControl(pattern(control, 3))
      a.sendBulk(pattern(bulk, 4))
      await ear.until(() => ear.control.length === 1 && ear.bulk.length === 1)
      expect(isSame(ear.control[0], pattern(control, 3))).toBe(true)
      expect(isSame(ear.bulk[0], pattern(bulk, 4))).toBe(true)
    })

    it('[TR2] has room for bulk, less with each chunk, and calls back when it has some again', async () => {
      const { a, b } = await open()
      const ear = new Ear(b)
      new Ear(a)
      const before = a.bulkRoom()
      expect(before).toBeGreaterThan(0)
      let sent = 0
      while (a.bulkRoom() > 0) {
        a.sendBulk(new Uint8Array(LIMITS.bulkChunkBytes))
        sent++
        expect(sent).toBeLessThan(10_000)
      }
      let calls = 0
      await new Promise<void>((resolve) => {
        a.onBulkRoom(() => {
          calls++
          resolve()
        })
      })
      expect(a.bulkRoom()).toBeGreaterThan(0)
      await ear.until(() => ear.bulk.length === sent)
      expect(calls).toBe(1)
    })

    it('[TR2] takes a later bulk waiter in the place of the one before', async () => {
      const { a, b } = await open()
      new Ear(a)
      new Ear(b)
      while (a.bulkRoom() > 0) a.sendBulk(new Uint8Array(LIMITS.bulkChunkBytes))
      let calls = 0
      a.onBulkRoom(() => calls++)
      await new Promise<void>((resolve) => {
        a.onBulkRoom(resolve)
      })
      expect(calls).toBe(0)
    })

    it('[TR2] does not let a bulk waiter wait for a link that has ended', async () => {
      const { a, b } = await open()
      new Ear(a)
      new Ear(b)
      while (a.bulkRoom() > 0) a.sendBulk(new Uint8Array(LIMITS.bulkChunkBytes))
      const called = new Promise<void>((resolve) => {
        a.onBulkRoom(resolve)
      })
      a.close()
      await called
      await new Promise<void>((resolve) => {
        a.onBulkRoom(resolve)
      })
    })

    it('[TR2] delivers what was sent before close, then says the end once, last, and nothing after', async () => {
      const { a, b } = await open()
      const [earA, earB] = [new Ear(a), new Ear(b)]
      for (let i = 0; i < 20; i++) a.sendControl(numbered(i))
      a.close()
      a.close()
      a.sendControl(numbered(99))
      a.sendBulk(numbered(99))
      await earB.until(() => earB.ends.length > 0)
      await earA.until(() => earA.ends.length > 0)
      b.sendControl(numbered(99))
      b.close()
      expect(earA.ends).toEqual(['closed-here'])
      expect(earB.ends.length).toBe(1)
      expect(earB.ends[0]).not.toBe('closed-here')
      expect(earB.control.map(numberIn)).toEqual(upTo(20))
      expect(earB.order.at(-1)).toBe('ended')
      expect(earA.control).toEqual([])
      expect(a.bulkRoom()).toBe(0)
    })

    it('[TR2] delivers nothing more once a handler has closed the link', async () => {
      const { a, b } = await open()
      new Ear(a)
      const heard: string[] = []
      await new Promise<void>((resolve) => {
        b.start({
          control: () => {
            heard.push('control')
            b.close()
          },
          bulk: () => heard.push('bulk'),
          ended: (why) => {
            heard.push(why)
            resolve()
          },
        })
        for (let i = 0; i < 5; i++) a.sendControl(numbered(i))
        a.sendBulk(numbered(0))
      })
      await new Promise<void>((resolve) => setTimeout(resolve, 0))
      expect(heard.filter((what) => what === 'control').length).toBe(1)
      expect(heard.at(-1)).toBe('closed-here')
    })
  })
}
