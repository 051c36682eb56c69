import { randomInt } from '@shoal/base'
import type { Random } from '@shoal/base'
import { fromHex, functionHashOf, randomNodeId } from '../ids.ts'
import type { JobId, NodeId, ObjectId } from '../ids.ts'
import { toResourceSet } from '../resources.ts'
import type { Schema } from '../schema.ts'
import { ValueEncoder } from '../value/encode-value.ts'
import { parseShape } from './parse-shape.ts'
import type { Shape } from './parse-shape.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface GeneratorOptions {
  readonly random: Random
  /** Nodes that ids are often made of: those of the room, so that readers get far. */
  readonly nodes?: readonly NodeId[]
}

/** Numbers at which something may turn over, beside small ones that may name something. */
const NUMBERS = [0, 1, 2, 3, 7, 127, 128, 2 ** 16, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
const TEXTS = ['', 'f', 'CPU', 'default', '#0', '__proto__', 'constructor', '../../x', 'ü\u{1F41F}', '\u0000']

/** Types of a union, as its schema has them. */
export function typesOf(schema: Schema<unknown>): string[] {
  const shape = parseShape(schema.shape)
  if (shape.kind !== 'union') throw new Error('not a union')
  return shape.variants.map(([type]) => type)
}

/**
 * Makes values that fit a schema, by the schema's own description: a message type that is added to a union is covered
 * without a line here. Throws for a shape that it cannot make.
 */
export function generate<T>(schema: Schema<T>, options: GeneratorOptions, type?: string): T {
  const shape = parseShape(schema.shape)
  if (type === undefined || shape.kind !== 'union') return make(shape, options, 0) as T
  const variant = shape.variants.find(([name]) => name === type)
  if (variant === undefined) throw new Error(`no message type ${type}`)
  return { type, ...(make(variant[1], options, 0) as object) } as T
}

function make(shape: Shape, options: GeneratorOptions, depth: number): unknown {
  const { random } = options
  const pick = <T>(list: readonly T[]): T => list[randomInt(random, list.length)] as T
  const again = (inner: Shape): unknown => make(inner, options, depth + 1)
  switch (shape.kind) {
    case 'named':
      return makeNamed(shape.name, options)
    case 'bytes':
      return random.bytes(shape.isExact ? shape.limit : Math.min(shape.limit, pick([0, 1, 16, 40, 200])))
    case 'string':
      return pick(TEXTS).slice(0, shape.limit)
    case 'array': {
      const length = Math.min(shape.limit, pick(depth > 6 ? [0] : [0, 1, 1, 2, 5]))
      return Array.from({ length }, () => again(shape.item))
    }
    case 'optional':
      return random.float() < 0.5 ? undefined : again(shape.inner)
    case 'oneOf':
      return pick(shape.words)
    case 'struct':
      return Object.fromEntries(shape.fields.map(([name, inner]) => [name, again(inner)]))
    case 'union': {
      const [type, inner] = pick(shape.variants)
      return { type, ...(again(inner) as object) }
    }
    case 'resources':
      return pick([toResourceSet({}), toResourceSet({ CPU: 1 }), toResourceSet({ CPU: 0.5, camera: 2 })])
    case 'value':
      if (random.float() < 0.3)
        return { refs: [makeObjectId(options)], body: random.bytes(9), buffers: [random.bytes(3)] }
      return new ValueEncoder().encode(pick<unknown>([[], [1, 'two'], { three: [3] }, null]), 'value')
  }
}

function makeNamed(name: string, options: GeneratorOptions): unknown {
  const { random } = options
  switch (name) {
    case 'u8':
      return randomInt(random, 256)
    case 'varint':
      return makeNumber(random)
    case 'f64':
      return [0, -1.5, Number.NaN, Number.POSITIVE_INFINITY][randomInt(random, 4)]
    case 'bool':
      return random.float() < 0.5
    case 'nodeId':
      return makeNode(options)
    case 'roomId':
      return randomNodeId(random)
    case 'objectId':
      return makeObjectId(options)
    case 'jobId':
      return { driver: makeNode(options), number: makeNumber(random) } satisfies JobId
    case 'attempt':
      return { epoch: makeNumber(random), number: makeNumber(random) }
    case 'functionHash':
      return functionHashOf(random.bytes(32))
    default:
      throw new Error(`no generator for ${name}`)
  }
}

function makeNumber(random: Random): number {
  return random.float() < 0.6 ? randomInt(random, 12) : (NUMBERS[randomInt(random, NUMBERS.length)] ?? 0)
}

function makeNode({ random, nodes = [] }: GeneratorOptions): NodeId {
  return random.float() < 0.8 && nodes.length > 0
    ? (nodes[randomInt(random, nodes.length)] as NodeId)
    : randomNodeId(random)
}

function makeObjectId(options: GeneratorOptions): ObjectId {
  return { owner: makeNode(options), number: makeNumber(options.random) }
}

/** Flips, cuts, repeats, inserts and lies about lengths: mostly what was there, so that readers get far into it. */
export function damaged(random: Random, bytes: Bytes): Bytes {
  const list = [...bytes]
  for (let faults = 1 + randomInt(random, 4); faults > 0; faults--) {
    const at = randomInt(random, list.length + 1)
    const kind = randomInt(random, 6)
    if (kind === 0) list[at] = randomInt(random, 256)
    else if (kind === 1) list.splice(at, 1 + randomInt(random, 8))
    else if (kind === 2) list.splice(at, 0, ...random.bytes(1 + randomInt(random, 8)))
    else if (kind === 3) list.length = Math.min(at, list.length)
    else if (kind === 4) list[at] = (list[at] ?? 0) ^ (1 << randomInt(random, 8))
    // A length that claims far more than there is.
    else list.splice(at, 1, ...fromHex('ffffffffffff0f'))
  }
  return Uint8Array.from(list)
}
