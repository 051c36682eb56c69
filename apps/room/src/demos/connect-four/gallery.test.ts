import { expect, it } from 'vitest'
import { Gallery } from './gallery.ts'
import { galleryGrid, GALLERY_SIZE } from './draw-gallery.ts'

const board = (mark: number) => new Uint8Array(42).fill(mark, 0, 1)
const marksOf = (gallery: Gallery) =>
  Array.from({ length: gallery.size }, (_, i) => gallery.at(i)).map((shown) => shown && [shown.nodeId, shown.board[0]])

it('shows the newest games, of the tabs by turns', () => {
  const gallery = new Gallery({ size: 4, holdMs: 100 })
  expect(gallery.advance(0)).toBe(false)
  expect(gallery.isEmpty).toBe(true)
  gallery.offer('fast', [board(0), board(1), board(2)])
  gallery.offer('slow', [board(9)])
  expect(gallery.advance(0)).toBe(true)
  expect(marksOf(gallery)).toEqual([
    ['fast', 2],
    ['slow', 9],
    ['fast', 1],
    ['fast', 0],
  ])
  expect([...gallery.countByNode()]).toEqual([
    ['fast', 3],
    ['slow', 1],
  ])
})

it('keeps a game for a while, and then only as long as there is a newer one', () => {
  const gallery = new Gallery({ size: 1, holdMs: 100 })
  gallery.offer('a', [board(1)])
  gallery.advance(0)
  gallery.offer('a', [board(2)])
  expect(gallery.advance(99)).toBe(false)
  expect(marksOf(gallery)).toEqual([['a', 1]])
  expect(gallery.advance(100)).toBe(true)
  expect(marksOf(gallery)).toEqual([['a', 2]])
  expect(gallery.advance(1000)).toBe(false)
})

it('keeps no more games of a tab than it has places, the newest', () => {
  const gallery = new Gallery({ size: 2, holdMs: 0 })
  for (let i = 0; i < 200; i += 1) gallery.offer('a', [board(i)])
  gallery.advance(0)
  expect(marksOf(gallery)).toEqual([
    ['a', 199],
    ['a', 198],
  ])
})

it.each([840, 560, 340])('fills whole rows at a width of %d', (width) => {
  const { columns, cellWidth, height, cellHeight } = galleryGrid(width)
  expect(GALLERY_SIZE % columns).toBe(0)
  expect(columns * cellWidth).toBeCloseTo(width + 6)
  expect(height).toBe((GALLERY_SIZE / columns) * cellHeight - 6)
})
