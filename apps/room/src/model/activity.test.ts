import { expect, it } from 'vitest'
import { Activity } from './activity.ts'

it('counts what came in each second, and starts from the first reading', () => {
  const activity = new Activity(4, 1000)
  activity.add(0, 100)
  activity.add(500, 103)
  activity.add(1200, 104)
  activity.add(3900, 110)
  expect(activity.values).toEqual([3, 1, 0, 6])
  activity.add(60_000, 110)
  expect(activity.values).toEqual([0, 0, 0, 0])
})
