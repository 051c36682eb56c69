declare module '*?shoal-inline' {
  /** The entry and all it imports as one classic script. */
  const text: string
  export default text
}

declare module '*?shoal-first' {
  /** The first stage of the entry as one classic script. */
  const text: string
  export default text
}

declare module '*?shoal-second-chunk' {
  /** The same as a classic script that leaves `{ mark, make }` at `globalThis.shoalChunk`: `make(shoalStages)` gives its exports. */
  const text: string
  export default text
}

declare module '*?shoal-second' {
  /** The second stage of the entry (the file beside it whose name ends in `-second`), a function's body. */
  const text: string
  export default text
}
