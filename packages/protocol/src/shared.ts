import { RecentMap } from '@shoal/base'
import type { Schema } from './schema.ts'

const KEPT = 128
/** It has a character of its own for each byte. */
const oneCharacterAByte = new TextDecoder('latin1')

/**
 * For what comes again and again in messages that are kept, as the methods of one class in the template of each of its
 * actors: equal values are one object, which nobody may change. The last 128 are known.
 */
/* @__NO_SIDE_EFFECTS__ */
export function shared<T extends object>(schema: Schema<T>): Schema<T> {
  const known = new RecentMap<string, T>(KEPT)
  return {
    shape: schema.shape,
    write: (writer, value) => schema.write(writer, value),
    read(reader) {
      const start = reader.offset
      const value = schema.read(reader)
      const key = oneCharacterAByte.decode(reader.since(start))
      const earlier = known.get(key)
      if (earlier === undefined) known.set(key, value)
      return earlier ?? value
    },
  }
}
