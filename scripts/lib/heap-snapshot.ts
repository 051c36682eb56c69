// What a heap snapshot of the engine says, as far as the long run asks.

interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[]
      readonly node_types: readonly [readonly string[], ...unknown[]]
    }
  }
  readonly nodes: readonly number[]
}

/**
 * Bytes of everything in a V8 heap snapshot but compiled code: how much of that there is is the engine's choice, and grows for
 * a quarter of an hour.
 */
export function objectBytes(text: string): number {
  const { snapshot, nodes } = JSON.parse(text) as Snapshot
  const { node_fields: fields, node_types: types } = snapshot.meta
  const [type, size] = [fields.indexOf('type'), fields.indexOf('self_size')]
  const code = types[0].indexOf('code')
  if (type < 0 || size < 0 || code < 0) throw new Error('a heap snapshot of another kind')
  let bytes = 0
  for (let node = 0; node < nodes.length; node += fields.length)
    if (nodes[node + type] !== code) bytes += nodes[node + size] ?? 0
  return bytes
}
