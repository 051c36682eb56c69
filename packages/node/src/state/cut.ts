import { LIMITS } from '@shoal/protocol'

/** Characters of a text in a row; in UTF-8 they stay below `LIMITS.stateTextBytes`. */
export const MOST_TEXT = 2_000
/** A name's bytes are bounded, and a character may be three of them. */
const MOST_NAME = Math.floor(LIMITS.nameBytes / 3)

export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

/** A name that was put together of two. */
export function cutName(name: string): string {
  return name.length <= MOST_NAME ? name : cut(name, MOST_NAME)
}
