import { expect, it } from 'vitest'
import { DEFAULT_SETTINGS, parseSettings, toLimits } from './lending-settings.ts'

it('reads back what it wrote, and takes the default for whatever makes no sense', () => {
  const settings = { ...DEFAULT_SETTINGS, workers: 2, percent: 50, memoryMb: 256, hourlyMb: 200, hidden: true }
  expect(parseSettings(JSON.stringify(settings))).toEqual(settings)
  for (const text of [null, '', 'null', '[]', '{"percent":13,"workers":-1,"hidden":"yes","hourlyMb":1e99}'])
    expect(parseSettings(text)).toEqual(DEFAULT_SETTINGS)
  expect(parseSettings('{"workers":3,"metered":false}')).toEqual({ ...DEFAULT_SETTINGS, workers: 3, metered: false })
})

it('tells the SDK limits where there are some', () => {
  expect(toLimits(DEFAULT_SETTINGS)).toEqual({
    dutyCycle: 1,
    pauseWhen: { onBattery: false, metered: true, hidden: false },
  })
  expect(toLimits({ ...DEFAULT_SETTINGS, workers: 1, percent: 25, memoryMb: 128, hourlyMb: 50 })).toMatchObject({
    workers: 1,
    dutyCycle: 0.25,
    memoryBytes: 134_217_728,
    bytesPerHour: 50_000_000,
  })
})
