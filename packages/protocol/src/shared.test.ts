import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.ts'
import { array, string, struct } from './schema.ts'
import { shared } from './shared.ts'

const schema = shared(struct({ names: array(string(20), 10) }))

function reread(names: string[]): { names: string[] } {
  const writer = new ByteWriter()
  schema.write(writer, { names })
  return schema.read(new ByteReader(writer.finish()))
}

describe('shared', () => {
  it('reads equal values as one object, and others as they are', () => {
    const first = reread(['a', 'b'])
    expect(reread(['a', 'b'])).toBe(first)
    expect(reread(['a,b'])).toEqual({ names: ['a,b'] })
    for (let n = 0; n < 128; n++) expect(reread([String(n)])).toEqual({ names: [String(n)] })
    // It was forgotten.
    expect(reread(['a', 'b'])).not.toBe(first)
    expect(reread(['a', 'b'])).toEqual(first)
  })
})
