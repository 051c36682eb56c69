/**
 * Learned parameters as bytes, to keep in a file and to load again: a magic word, a format version, a JSON header that says what the
 * arrays are and whatever its writer wants to add, then the arrays, little-endian, each at a multiple of 8 bytes. What is
 * read may come from anybody, so everything is checked before it is believed.
 */
import type { AdamState } from './nn/adam.ts'

const MAGIC = 0x4c524853 // 'SHRL'
const VERSION = 1
const PREFIX_BYTES = 12
const MOST_BYTES = 1 << 30

type CheckpointArray = Float32Array | Float64Array | Int32Array

/** What a checkpoint says of itself. */
export interface Checkpoint {
  /** What it is of, such as 'ppo': a loader asks for one kind. */
  readonly kind: string
  /** Plain JSON: settings, counters, where it came from. */
  readonly meta: Readonly<Record<string, unknown>>
  readonly arrays: Readonly<Record<string, CheckpointArray>>
}

const TYPES = { f32: Float32Array, f64: Float64Array, i32: Int32Array } as const
type TypeName = keyof typeof TYPES

interface Entry {
  readonly name: string
  readonly type: TypeName
  readonly length: number
}

/** @throws TypeError for meta that JSON cannot say. */
export function encodeCheckpoint({ kind, meta, arrays }: Checkpoint): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(arrays).map(([name, array]): Entry => ({
    name,
    type: typeOf(array),
    length: array.length,
  }))
  const header = new TextEncoder().encode(JSON.stringify({ kind, meta, entries }))
  const arraysAt = aligned(PREFIX_BYTES + header.length)
  const size = Object.values(arrays).reduce((sum, { byteLength }) => sum + aligned(byteLength), arraysAt)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, VERSION, true)
  view.setUint32(8, header.length, true)
  bytes.set(header, PREFIX_BYTES)
  let at = arraysAt
  for (const array of Object.values(arrays)) {
    const width = array.BYTES_PER_ELEMENT
    array.forEach((value: number, i: number) => write(view, typeOf(array), at + i * width, value))
    at += aligned(array.byteLength)
  }
  return bytes
}

/**
 * The checkpoint of `kind` in these bytes; its arrays are copies.
 * @throws RangeError for what is no checkpoint, one of another kind or a later version, and one that was cut or has numbers
 *   that are none.
 */
export function decodeCheckpoint(bytes: Uint8Array, kind: string): Checkpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < PREFIX_BYTES || view.getUint32(0, true) !== MAGIC) throw new RangeError('this is no checkpoint')
  const version = view.getUint32(4, true)
  if (version !== VERSION) throw new RangeError(`a checkpoint of version ${version}; this reads version ${VERSION}`)
  const headerEnd = PREFIX_BYTES + view.getUint32(8, true)
  if (headerEnd > bytes.length) throw new RangeError('a checkpoint that was cut')
  const header = parseHeader(bytes.subarray(PREFIX_BYTES, headerEnd))
  if (header.kind !== kind) throw new RangeError(`a checkpoint of '${header.kind}', not of '${kind}'`)
  let at = aligned(headerEnd)
  const arrays: Record<string, CheckpointArray> = Object.create(null) as Record<string, CheckpointArray>
  for (const { name, type, length } of header.entries) {
    const array = takeArray(view, type, at, length)
    if (!array.every((value: number) => Number.isFinite(value)))
      throw new RangeError(`'${name}' has numbers that are none`)
    arrays[name] = array
    at += aligned(array.byteLength)
  }
  if (at !== bytes.length) throw new RangeError('a checkpoint of another size than it says')
  return { kind, meta: header.meta, arrays }
}

/** Any learner's state with parameters and Adam's moments, whose other fields are plain numbers. */
export interface LearnerState {
  readonly parameters: Float32Array
  readonly adam: AdamState
}

/** A learner's state as bytes; `meta` is for the reader, such as the settings it was trained with. */
export function encodeLearner<State extends LearnerState>(
  kind: string,
  state: State,
  meta: Readonly<Record<string, unknown>> = {},
): Uint8Array<ArrayBuffer> {
  const { adam, ...rest } = state
  const numbers: Record<string, number> = { adamSteps: adam.steps }
  const arrays: Record<string, CheckpointArray> = { adamMean: adam.mean, adamVariance: adam.variance }
  for (const [name, value] of Object.entries(rest)) {
    if (typeof value === 'number') numbers[name] = value
    else arrays[name] = value as CheckpointArray
  }
  return encodeCheckpoint({ kind, meta: { ...meta, state: numbers }, arrays })
}

/**
 * The state that `encodeLearner` wrote; a learner that is given it checks that its parameters are as many as it has.
 * @throws RangeError as `decodeCheckpoint`, and for one without a learner's state.
 */
export function decodeLearner<State extends LearnerState>(kind: string, bytes: Uint8Array): State {
  const { meta, arrays } = decodeCheckpoint(bytes, kind)
  const { adamMean: mean, adamVariance: variance, ...others } = arrays
  const { adamSteps: steps, ...numbers } = (meta['state'] ?? {}) as Record<string, number>
  const { parameters } = others
  const size = parameters?.length
  const areMoments = mean instanceof Float64Array && variance instanceof Float64Array && Number.isSafeInteger(steps)
  const doFit = parameters instanceof Float32Array && mean?.length === size && variance?.length === size
  if (!areMoments || !doFit) throw new RangeError("a checkpoint without a learner's state")
  return { ...numbers, ...others, adam: { steps, mean, variance } } as unknown as State
}

function typeOf(array: CheckpointArray): TypeName {
  if (array instanceof Float32Array) return 'f32'
  return array instanceof Float64Array ? 'f64' : 'i32'
}

function aligned(size: number): number {
  return Math.ceil(size / 8) * 8
}

function write(view: DataView, type: TypeName, at: number, value: number): void {
  if (type === 'f32') view.setFloat32(at, value, true)
  else if (type === 'f64') view.setFloat64(at, value, true)
  else view.setInt32(at, value, true)
}

function takeArray(view: DataView, type: TypeName, at: number, length: number): CheckpointArray {
  const width = TYPES[type].BYTES_PER_ELEMENT
  if (at + length * width > view.byteLength) throw new RangeError('a checkpoint that was cut')
  const array = new TYPES[type](length)
  for (let i = 0; i < length; i += 1) {
    const place = at + i * width
    if (type === 'f32') array[i] = view.getFloat32(place, true)
    else array[i] = type === 'f64' ? view.getFloat64(place, true) : view.getInt32(place, true)
  }
  return array
}

function parseHeader(bytes: Uint8Array): {
  readonly kind: string
  readonly meta: Readonly<Record<string, unknown>>
  readonly entries: readonly Entry[]
} {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new RangeError('a checkpoint whose header is no JSON')
  }
  const { kind, meta, entries } = (header ?? {}) as Record<string, unknown>
  const isSound =
    typeof kind === 'string' &&
    typeof meta === 'object' &&
    meta !== null &&
    Array.isArray(entries) &&
    entries.every(isEntry)
  if (!isSound) throw new RangeError('a checkpoint whose header is wrong')
  return { kind, meta: meta as Readonly<Record<string, unknown>>, entries }
}

function isEntry(entry: unknown): entry is Entry {
  const { name, type, length } = (entry ?? {}) as Record<string, unknown>
  const isType = typeof type === 'string' && Object.hasOwn(TYPES, type)
  return (
    typeof name === 'string' &&
    isType &&
    Number.isSafeInteger(length) &&
    Number(length) >= 0 &&
    Number(length) < MOST_BYTES
  )
}
