import { describe, expect, it } from 'vitest'
import { relativeLuminance, TabMarks } from './tab-marks.ts'

const nodeIds = Array.from({ length: 30 }, (_, i) => (i * 2_654_435_761).toString(16).padStart(32, '0'))

describe('TabMarks', () => {
  it('keeps a mark once given, whoever comes later', () => {
    const marks = new TabMarks()
    const first = marks.of(nodeIds[0]!)
    for (const id of nodeIds) marks.of(id)
    expect(marks.of(nodeIds[0]!)).toEqual(first)
  })

  it('gives seven tabs seven colours, and every tab its own letter', () => {
    const marks = new TabMarks()
    const given = nodeIds.map((id) => marks.of(id))
    expect(new Set(given.slice(0, 7).map((mark) => mark.color)).size).toBe(7)
    expect(new Set(given.map((mark) => mark.label)).size).toBe(30)
    expect(given[0]!.label).toMatch(/^[A-Z]$/)
    expect(given[29]!.label).toMatch(/^[A-Z]2$/)
  })

  it('marks a tab alike on two pages that met it first', () => {
    for (const id of nodeIds) expect(new TabMarks().of(id)).toEqual(new TabMarks().of(id))
    expect(new Set(nodeIds.map((id) => new TabMarks().of(id).color)).size).toBe(4)
  })

  it('writes letters that can be read on their colour, and colours that can be seen on the dark stage', () => {
    const marks = new TabMarks()
    const stage = relativeLuminance('#0c141b')
    for (const id of nodeIds.slice(0, 8)) {
      const { color, ink } = marks.of(id)
      const [a, b] = [relativeLuminance(color) + 0.05, relativeLuminance(ink) + 0.05]
      expect(Math.max(a, b) / Math.min(a, b)).toBeGreaterThanOrEqual(4.5)
      expect(a / (stage + 0.05)).toBeGreaterThanOrEqual(3)
    }
  })
})
