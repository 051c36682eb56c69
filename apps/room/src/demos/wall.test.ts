import { describe, expect, it } from 'vitest'
import { episodeLength, stateAt } from './episode.ts'
import type { Episode } from './episode.ts'
import { chooseGrid } from './es/wall-layout.ts'
import { Wall } from './wall.ts'

function episode(nodeId: string, steps: number): Episode {
  return { nodeId, stateSize: 2, states: Float32Array.from({ length: 2 * (steps + 1) }, (_, i) => i) }
}

describe('chooseGrid', () => {
  it.each([
    [64, 360, 360, 1, 8, 8],
    [64, 840, 300, 1.35, 11, 6],
    [64, 1280, 320, 1, 16, 4],
    [1, 300, 200, 1, 1, 1],
  ])('lays %d cells in %d x %d of aspect %f out as %d x %d', (count, width, height, aspect, columns, rows) => {
    expect(chooseGrid(count, count + 8, width, height, aspect)).toMatchObject({ columns, rows })
  })

  it('keeps to the number of cells, inside the canvas', () => {
    for (const count of [7, 16, 61, 64]) {
      const grid = chooseGrid(count, count + 3, 700, 300, 1)
      expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(count)
      expect(grid.columns * grid.rows).toBeLessThanOrEqual(count + 3)
      expect(grid.columns * grid.cellWidth).toBeLessThanOrEqual(700.001)
      expect(grid.rows * grid.cellHeight).toBeLessThanOrEqual(300.001)
    }
  })
})

describe('stateAt', () => {
  it('goes straight from one state to the next and stops at the last', () => {
    const out = new Float32Array(2)
    const three = episode('a', 3)
    const seen = [-1, 0, 1.5, 3, 99].map((step) => {
      stateAt(three, step, out)
      return [...out]
    })
    expect(seen).toEqual([
      [0, 1],
      [0, 1],
      [3, 4],
      [6, 7],
      [6, 7],
    ])
    expect(episodeLength(three)).toBe(3)
    expect(episodeLength({ nodeId: 'a', stateSize: 2, states: new Float32Array(0) })).toBe(0)
  })
})

describe('Wall', () => {
  it('says how many episodes are on show, and whose', () => {
    const wall = new Wall(3, 10)
    wall.offer(episode('a', 5))
    wall.offer(episode('b', 5))
    expect(wall.shown).toBe(0)
    wall.advance(0)
    expect(wall.shown).toBe(2)
    expect([...wall.tabs].sort()).toEqual(['a', 'b'])
  })

  it('plays an episode to its end before it takes the newest one waiting', () => {
    const wall = new Wall(1, 100)
    wall.offer(episode('first', 100))
    wall.advance(0)
    wall.offer(episode('older', 1))
    wall.offer(episode('newest', 1))
    wall.advance(1000)
    expect(wall.at(0)?.episode.nodeId).toBe('first')
    expect(wall.stepOf(wall.at(0)!, 500)).toBe(50)
    expect(wall.stepOf(wall.at(0)!, 5000)).toBe(100)
    wall.advance(2000)
    expect(wall.at(0)).toMatchObject({ episode: { nodeId: 'newest' }, startMs: 2000 })
  })

  it('plays again when nothing new has come', () => {
    const wall = new Wall(2, 100)
    expect(wall.isEmpty).toBe(true)
    wall.offer(episode('only', 10))
    wall.advance(0)
    wall.advance(1000)
    expect(wall.at(0)).toMatchObject({ episode: { nodeId: 'only' }, startMs: 1000 })
    expect(wall.at(1)).toBeUndefined()
  })

  it('keeps a wall full of the newest, however many come', () => {
    const wall = new Wall(3, 100)
    for (let i = 0; i < 1000; i += 1) wall.offer(episode(`n${i}`, 5))
    wall.advance(0)
    expect([0, 1, 2].map((i) => wall.at(i)?.episode.nodeId)).toEqual(['n999', 'n998', 'n997'])
  })

  it('shows ends without motion', () => {
    const wall = new Wall(1, 100)
    wall.offer(episode('a', 50))
    wall.showNewest(9000)
    expect(wall.stepOf(wall.at(0)!, 9000)).toBe(50)
  })
})
