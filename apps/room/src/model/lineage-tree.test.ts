import { expect, it } from 'vitest'
import { lineageTree } from './lineage-tree.ts'

const object = (objectId: string, dependencies: readonly string[] = []) => ({
  objectId,
  taskName: `f${objectId}`,
  dependencies,
})

it('hangs what a task needs below it, and what is needed twice where it first stands', () => {
  const tree = lineageTree([object('4', ['2', '3']), object('2', ['1']), object('3', ['2']), object('1')])
  expect(tree?.needs.map(({ objectId, needs }) => [objectId, needs.map((need) => need.objectId)])).toEqual([
    ['2', ['1']],
    ['3', ['2']],
  ])
  expect(tree?.needs[1]?.needs[0]).toEqual({ objectId: '2', taskName: 'f2', isRepeated: true, needs: [] })
})

it('takes what is not listed for a leaf, and ends after twelve levels', () => {
  expect(lineageTree([object('1', ['9'])])?.needs).toEqual([
    { objectId: '9', taskName: undefined, isRepeated: false, needs: [] },
  ])
  const chain = Array.from({ length: 40 }, (_, n) => object(String(n), [String(n + 1)]))
  let levels = 0
  for (let node = lineageTree(chain)?.needs[0]; node !== undefined; node = node.needs[0]) levels++
  expect(levels).toBe(12)
  expect(lineageTree([])).toBeUndefined()
})
