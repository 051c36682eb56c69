/**
 * A colour and a letter for each tab: told apart by colour-blind people (Okabe and Ito's palette) and without colours at
 * all. Both start from a hash of the node id, so that pages mostly agree on who is orange, and step on to the next free
 * one; once given, a mark stays for the page's life.
 */
export interface TabMark {
  readonly color: string
  /** Black or white, whichever reads better on `color` (4.5:1 or more). */
  readonly ink: string
  /** One letter; from the 25th tab on with a number behind it. */
  readonly label: string
}

// Okabe and Ito, "Color Universal Design" (2008), without black, which a dark page swallows. The first four are the least
// alike, and most rooms are small.
const COLORS = ['#e69f00', '#56b4e9', '#cc79a7', '#009e73', '#f0e442', '#0072b2', '#d55e00'] as const
const FIRST_COLORS = 4
// Without I and O, which look like numbers.
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'

export class TabMarks {
  readonly #marks = new Map<string, TabMark>()
  readonly #colorUses = new Array<number>(COLORS.length).fill(0)
  readonly #letterUses = new Array<number>(LETTERS.length).fill(0)

  of(nodeId: string): TabMark {
    let mark = this.#marks.get(nodeId)
    if (mark === undefined) {
      const hash = hashOf(nodeId)
      const color = COLORS[leastUsed(this.#colorUses, hash % FIRST_COLORS)] ?? COLORS[0]
      const letter = leastUsed(this.#letterUses, hash >>> 8)
      const round = this.#letterUses[letter] ?? 1
      mark = { color, ink: inkOn(color), label: LETTERS.charAt(letter) + (round > 1 ? String(round) : '') }
      this.#marks.set(nodeId, mark)
    }
    return mark
  }
}

/** Counts a use of the least used entry, the first at or after `start`; gives its index. */
function leastUsed(uses: number[], start: number): number {
  const least = Math.min(...uses)
  let index = start % uses.length
  while (uses[index] !== least) index = (index + 1) % uses.length
  uses[index] = least + 1
  return index
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}

function inkOn(color: string): string {
  const light = relativeLuminance(color)
  // WCAG's contrast: against white 1.05 / (L + 0.05), against black (L + 0.05) / 0.05.
  return 1.05 / (light + 0.05) > (light + 0.05) / 0.05 ? '#ffffff' : '#000000'
}

/** WCAG 2's relative luminance of `#rrggbb`, 0 to 1. */
export function relativeLuminance(color: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}
