import { parseNodeId, THIS_NODE } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { TaskRandom } from './task-random.ts'

const here = parseNodeId('ab'.repeat(16))
const elsewhere = parseNodeId('cd'.repeat(16))
const draw = (random: TaskRandom): number[] => [random.float(), random.float(), random.float()]

test('a task draws the same numbers at home, where its owner is not written out, and on another node', () => {
  const home = new TaskRandom(here)
  home.begin({ owner: THIS_NODE, number: 12 })
  const away = new TaskRandom(elsewhere)
  away.begin({ owner: here, number: 12 })
  const numbers = draw(home)
  expect(draw(away)).toEqual(numbers)
  away.begin({ owner: here, number: 12 })
  expect(draw(away)).toEqual(numbers)
})

test('other tasks and other owners draw other numbers, all in [0, 1)', () => {
  const random = new TaskRandom(here)
  const seen = new Set<number>()
  for (const owner of [here, elsewhere])
    for (let number = 0; number < 100; number++) {
      random.begin({ owner, number })
      seen.add(random.float())
    }
  expect(seen.size).toBe(200)
  for (const number of seen) expect(number >= 0 && number < 1).toBe(true)
})
