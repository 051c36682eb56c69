import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { KeyPair, NodeId } from '@shoal/protocol'
import { DirectoryRoom } from '../testing/directory-room.ts'
import type { TestNode } from '../testing/directory-room.ts'
import { createFastCrypto } from '../testing/fast-crypto.ts'
import { createDepartures } from './departures.ts'
import type { Departures } from './departures.ts'

const JOINS = 10_000
/** What one live record may cost in any document of any node, with 30 live nodes or with 3. */
const BYTES_A_LIVE_RECORD = 20_000

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
const card = (node: TestNode): string => `node/${node.id}`

interface Tab extends TestNode {
  /** As membership would have it: those it was linked to. */
  readonly alive: Set<NodeId>
  readonly departures: Departures
}

/** Tabs that come and go, with what membership tells each: a goodbye at once, a crash after a while, the rest never. */
class Churn {
  readonly room: DirectoryRoom
  readonly tabs: Tab[] = []
  readonly gone: KeyPair[] = []
  readonly #verdicts: { readonly atMs: number; readonly give: () => void }[] = []

  constructor(room: DirectoryRoom) {
    this.room = room
  }

  async join(): Promise<Tab> {
    const isBack = this.gone.length > 0 && this.room.random.float() < 0.1
    const keyPair = isBack ? this.gone.shift() : undefined
    const node = await this.room.join(keyPair && { keyPair })
    const alive = new Set(this.tabs.map(({ id }) => id))
    const departures = createDepartures({
      directory: node.directory,
      clock: this.room.clock,
      isKnown: (id) => alive.has(id),
      self: node.id,
    })
    const tab = { ...node, alive, departures }
    for (const other of this.tabs) other.alive.add(tab.id)
    this.tabs.push(tab)
    await tab.directory.set(card(tab), text(`card of ${tab.id}, with what a browser says of itself and lends`))
    return tab
  }

  leave(tab: Tab, isCrash: boolean): void {
    this.tabs.splice(this.tabs.indexOf(tab), 1)
    const node = this.room.nodes.find(({ id }) => id === tab.id)
    if (node) this.room.leave(node)
    tab.departures.close()
    if (this.gone.length < 50) this.gone.push(tab.keyPair)
    for (const other of this.tabs) {
      const give = (): void => {
        // It may be back by now, or the observer gone.
        if (!this.tabs.includes(other) || this.tabs.some(({ id }) => id === tab.id)) return
        other.alive.delete(tab.id)
        other.directory.retire(tab.id)
      }
      if (isCrash) this.#verdicts.push({ atMs: this.room.clock.now() + 1_000 + 4_000 * this.room.random.float(), give })
      else give()
    }
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      await this.room.run(Math.min(500, ms - passed))
      for (const verdict of this.#verdicts.splice(0)) {
        if (verdict.atMs <= this.room.clock.now()) verdict.give()
        else this.#verdicts.push(verdict)
      }
    }
  }
}

const bytesOf = (tab: TestNode): number => Y.encodeStateAsUpdate(tab.directory.doc).length

describe('a directory of a room whose tabs come and go', () => {
  it('[D4] forgets who died before anybody who is still there had met it', async () => {
    const churn = new Churn(await DirectoryRoom.create(61, createFastCrypto))
    const old = await churn.join()
    const crashed = await churn.join()
    await churn.run(200)
    // The newcomer learns the card from the document, and never meets its node.
    churn.leave(crashed, true)
    const late = await churn.join()
    late.alive.delete(crashed.id)
    await churn.run(200)
    expect(late.directory.get(card(crashed))).toBeDefined()
    await churn.run(60_000)
    const last = await churn.join()
    last.alive.delete(crashed.id)
    await churn.run(2_000)
    for (const tab of [old, late, last]) {
      expect(tab.directory.get(card(crashed))).toBeUndefined()
      expect(tab.directory.get(card(old))).toBeDefined()
    }
  })

  it('[D4] shows a newcomer in a rolled room as soon as in a new one', async () => {
    const churn = new Churn(await DirectoryRoom.create(63, createFastCrypto))
    const old = await churn.join()
    for (let i = 0; i < 12; i++) old.directory.doc.getMap('junk').set(`${i}`, churn.room.random.bytes(20_000))
    await churn.run(3_000)
    expect(old.directory.generation).toBe(1)
    const middle = await churn.join()
    await churn.run(1_000)
    // Two links away, so that its card has to go on from neighbour to neighbour.
    const late = await churn.join()
    churn.room.cut(old, late)
    await churn.room.deliver()
    expect(middle.directory.get(card(late))).toBeDefined()
    expect(old.directory.get(card(late))?.version).toBe(1)
    expect(late.directory.get(card(old))).toBeDefined()
  })

  it('[D4] stays within its bound over 10,000 joins and leaves, and the last half costs no more than the first', async () => {
    const churn = new Churn(await DirectoryRoom.create(62, createFastCrypto))
    const { room } = churn
    const stayers = [await churn.join(), await churn.join()]
    const largest = [0, 0]
    let perRecord = 0
    let generations = 0
    for (let joined = 0; joined < JOINS; joined++) {
      const tab = await churn.join()
      await room.deliver()
      if (joined % 4 === 0) await churn.run(100)
      const leaving = churn.tabs.length > 2 + 2 * room.random.float()
      const whose = churn.tabs[2 + Math.floor(room.random.float() * (churn.tabs.length - 2))]
      if (leaving && whose) churn.leave(whose, room.random.float() < 0.3)
      if (joined % 100 !== 99) continue
      for (const at of [...stayers, tab].filter((each) => churn.tabs.includes(each))) {
        const bytes = bytesOf(at)
        const half = joined < JOINS / 2 ? 0 : 1
        largest[half] = Math.max(largest[half] ?? 0, bytes)
        perRecord = Math.max(perRecord, bytes / churn.tabs.length)
        generations = Math.max(generations, at.directory.generation)
      }
    }
    await churn.run(60_000)
    const live = churn.tabs.map(card).sort()
    for (const tab of churn.tabs) expect(tab.directory.entries('').map(([key]) => key)).toEqual(live)
    const [first = 0, second = 0] = largest
    console.log(
      `D4: largest document ${first} and ${second} bytes, ${Math.round(perRecord)} a live record, ${generations} generations`,
    )
    expect(generations).toBeGreaterThan(20)
    expect(perRecord).toBeLessThan(BYTES_A_LIVE_RECORD)
    expect(second).toBeLessThan(1.2 * first)
  }, 600_000)
})
