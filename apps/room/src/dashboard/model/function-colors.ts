/**
 * A colour for each function, in the order in which they appear. Red, orange and black are Dask's words for transfer, disk and
 * error and stand for nothing else; with more functions than colours they come again, and the name says which it is.
 */
const COLORS = [
  '#3b82c4',
  '#2f9e77',
  '#8e6bbf',
  '#b7a22b',
  '#4bb3c9',
  '#c46fa8',
  '#6f8f3a',
  '#5a6fd0',
  '#7ab98b',
  '#a98bd8',
  '#8a8d5c',
  '#2c7a8c',
] as const

export const TRANSFER = '#d62f2f'
export const DISK = '#e8870e'
export const FAILED = '#111111'
export const PAPER = '#f7f8f9'

export function functionColor(place: number): string {
  return COLORS[place % COLORS.length] ?? COLORS[0]
}

/** Of a colour, what stands for waiting: the same, faint. */
export function faint(color: string): string {
  return `${color}55`
}
