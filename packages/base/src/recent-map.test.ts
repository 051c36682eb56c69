import { expect, it } from 'vitest'
import { RecentMap } from './recent-map.ts'

it('forgets what was used longest ago, and nothing before it is full', () => {
  const map = new RecentMap<string, number>(3)
  for (const [i, key] of ['a', 'b', 'c'].entries()) map.set(key, i)
  expect([map.get('c'), map.get('a'), map.get('a')]).toEqual([2, 0, 0])
  map.set('d', 3)
  expect(map.get('b')).toBeUndefined()
  map.set('c', 4)
  map.set('e', 5)
  expect([map.get('a'), map.get('c'), map.get('d'), map.get('e'), map.size]).toEqual([undefined, 4, 3, 5, 3])
})
