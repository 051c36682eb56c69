import { expect, it } from 'vitest'
import { refuseBadLimits } from './lending-limits.ts'
import { watchLimits } from './watch-limits.ts'
import type { LimitSources } from './watch-limits.ts'

class Connection extends EventTarget {
  saveData = false
  type = 'wifi'
}

class Battery extends EventTarget {
  charging = true
}

class Page extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible'
}

const ALL = { onBattery: true, metered: true, hidden: true }

it('[SL5] tells when the battery, the network or the background pauses it, and when they do no more', async () => {
  const [connection, battery, document] = [new Connection(), new Battery(), new Page()]
  const told: unknown[] = []
  const navigator = { connection, getBattery: () => Promise.resolve(battery) }
  const end = watchLimits({ workers: 2, pauseWhen: ALL }, (terms) => told.push(terms), {
    navigator,
    document: document as unknown as LimitSources['document'],
  })
  // Before it is known whether it may, nothing does.
  expect(told).toEqual([])
  await Promise.resolve()
  const mains = { key: 'shoal/power', value: 'mains' }
  expect(told.at(-1)).toEqual({ workers: 2, labels: [mains] })
  battery.charging = false
  battery.dispatchEvent(new Event('chargingchange'))
  expect(told.at(-1)).toMatchObject({ pause: 'battery', labels: [{ key: 'shoal/power', value: 'battery' }] })
  battery.charging = true
  connection.type = 'cellular'
  connection.dispatchEvent(new Event('change'))
  expect(told.at(-1)).toMatchObject({ pause: 'metered', labels: [mains, { key: 'shoal/network', value: 'metered' }] })
  connection.type = 'wifi'
  document.visibilityState = 'hidden'
  document.dispatchEvent(new Event('visibilitychange'))
  expect(told.at(-1)).toMatchObject({ pause: 'hidden' })
  document.visibilityState = 'visible'
  document.dispatchEvent(new Event('visibilitychange'))
  expect(told.at(-1)).toEqual({ workers: 2, labels: [mains] })
  const { length } = told
  end()
  document.dispatchEvent(new Event('visibilitychange'))
  expect(told).toHaveLength(length)
})

it('[SL5] goes by what the browser tells, and pauses for nothing that was not asked for', async () => {
  const document = new Page() as unknown as LimitSources['document']
  const told: unknown[] = []
  const tell = (terms: unknown): unknown => told.push(terms)
  watchLimits({ pauseWhen: ALL }, tell, { navigator: {}, document })()
  expect(told).toEqual([{ labels: [] }])
  const forbidden = Promise.reject<Battery>(new Error('NotAllowedError'))
  watchLimits({ dutyCycle: 0.5 }, tell, { navigator: { getBattery: () => forbidden }, document })
  await forbidden.catch(() => undefined)
  expect(told).toHaveLength(2)
  const battery = new Battery()
  battery.charging = false
  const found = Promise.resolve(battery)
  watchLimits({}, tell, { navigator: { getBattery: () => found }, document })
  await found
  expect(told.at(-1)).not.toHaveProperty('pause')
})

it('[SL5] refuses limits that make no sense', () => {
  refuseBadLimits({ workers: 1, dutyCycle: 1, memoryBytes: 2 ** 20, bytesPerHour: 1, pauseWhen: {} })
  for (const limits of [{ workers: 0 }, { dutyCycle: 0 }, { dutyCycle: 50 }, { memoryBytes: 5 }, { bytesPerHour: -1 }])
    expect(() => refuseBadLimits(limits)).toThrow(RangeError)
  expect(() => refuseBadLimits({ duty: 1 } as never)).toThrow('lend: duty cannot be 1')
})
