// Short, unlike each other in sound and spelling; the list's order is part of every room's fingerprint.
const WORDS =
  'amber anchor apple arrow autumn badge bamboo basil beacon birch bison bloom breeze brick cabin cactus candle canyon cedar cherry cloud clover cobalt comet coral cotton crane crystal dahlia delta desert dolphin dragon dune eagle ember falcon feather fern forest garden ginger glacier granite harbor hazel heron honey indigo island ivory jasmine jungle kernel lagoon lantern lemon lilac lotus lunar maple marble meadow mint'.split(
    ' ',
  )

/** Four words from a room's id: people read them to each other to see that they are in the same room. 24 bits. */
export function fingerprint(roomId: string): string {
  const words: string[] = []
  for (let i = 0; i < 4; i++)
    words.push(WORDS[Number.parseInt(roomId.slice(i * 2, i * 2 + 2), 16) % WORDS.length] ?? '')
  return words.join(' ')
}
