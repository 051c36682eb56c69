/**
 * The numbers of what generators yield. A stream's task has a number of its submitter's; its items have numbers past all
 * submitters' ranges, made from the stream's own and their index alone: whoever runs the task, and whoever answers for its
 * ledger, knows them without a word, on both sides of a partition too.
 */
const FIRST = 2 ** 52

/** Items of one stream, at most; and streams of one node. */
export const MOST_ITEMS = 2 ** 26

/** `streamId` from 1, `index` from 0, both below `MOST_ITEMS`. */
export function streamItem(streamId: number, index: number): number {
  return FIRST + streamId * MOST_ITEMS + index
}

/** Of which stream a number is an item, and which; undefined for any other object's. */
export function streamOf(number: number): { readonly streamId: number; readonly index: number } | undefined {
  if (number < FIRST) return undefined
  const rest = number - FIRST
  return { streamId: Math.floor(rest / MOST_ITEMS), index: rest % MOST_ITEMS }
}

/**
 * How templates and calls say that they are a generator's: 0, they are not; 1, it runs ahead as far as it likes; k + 1, by
 * at most k items.
 */
export function streamMode(isGenerator: boolean, most: number): number {
  if (!isGenerator) return 0
  return most === Infinity ? 1 : most + 1
}

/** By how many items a stream may be ahead of who takes them. */
export function mostAhead(mode: number): number {
  return mode <= 1 ? Infinity : mode - 1
}
