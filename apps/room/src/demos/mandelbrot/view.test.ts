import { describe, expect, it } from 'vitest'
import { HOME, iterationsFor, pan, requestOf, tilesOf, zoom } from './view.ts'

describe('tilesOf', () => {
  it('covers every point once, edges included', () => {
    const hits = new Uint8Array(100 * 70)
    for (const { left, top, columns, rows } of tilesOf(100, 70, 32))
      for (let y = top; y < top + rows; y += 1) for (let x = left; x < left + columns; x += 1) hits[y * 100 + x]! += 1
    expect(hits.every((count) => count === 1)).toBe(true)
  })

  it('begins in the middle and ends in a corner', () => {
    const tiles = tilesOf(160, 160, 32)
    expect(tiles[0]).toEqual({ left: 64, top: 64, columns: 32, rows: 32 })
    const last = tiles.at(-1)!
    expect([last.left, last.top].every((at) => at === 0 || at === 128)).toBe(true)
    const distances = tiles.map(({ left, top }) => Math.hypot(left - 64, top - 64))
    expect(distances).toEqual([...distances].sort((a, b) => a - b))
  })
})

describe('zoom and pan', () => {
  it('keeps the place under the pointer where it is', () => {
    const view = zoom(HOME, 0.5, 0.8, 0.3, 1.5)
    const place = (at: typeof view): number[] => [at.x + 0.3 * at.width, at.y - (0.2 * at.width) / 1.5]
    expect(view.width).toBe(HOME.width / 2)
    place(view).forEach((value, i) => expect(value).toBeCloseTo(place(HOME)[i]!, 12))
  })

  it('stops where float64 ends and where the set is a dot', () => {
    let view = HOME
    for (let i = 0; i < 100; i += 1) view = zoom(view, 0.5, 0.5, 0.5, 1.5)
    expect(view.width).toBe(2e-12)
    for (let i = 0; i < 100; i += 1) view = zoom(view, 2, 0.5, 0.5, 1.5)
    expect(view.width).toBe(6)
  })

  it('does not lose the set over the edge', () => {
    let view = HOME
    for (let i = 0; i < 50; i += 1) view = pan(view, 1, 1, 1.5)
    expect([view.x, view.y]).toEqual([2, 2])
  })
})

it('asks for the points of a tile at their centres', () => {
  const view = { x: 0, y: 0, width: 4 }
  const request = requestOf({ left: 0, top: 0, columns: 2, rows: 2 }, view, 4, 2)
  expect(request).toEqual({ x: -1.5, y: -0.5, step: 1, columns: 2, rows: 2, maxIterations: iterationsFor(view) })
})

it('looks longer where it is narrower', () => {
  expect(iterationsFor(HOME)).toBe(1000)
  expect(iterationsFor({ ...HOME, width: 1e-3 })).toBeGreaterThan(2500)
  expect(iterationsFor({ ...HOME, width: 1e-12 })).toBe(4000)
})
