import type { GpuArrayType, GpuPass } from '@shoal/core-worker'
import type { WiredBuffer, WiredPass } from './gpu-messages.ts'

/** A request in the form in which it goes to the broker, and what its results are made into. */
export interface CheckedRequest {
  readonly buffers: readonly WiredBuffer[]
  readonly passes: readonly WiredPass[]
  readonly results: readonly { readonly name: string; readonly type: GpuArrayType }[]
  readonly signal: AbortSignal | undefined
  /** Memory of its own that may be moved: the copies of data. */
  readonly moved: ArrayBuffer[]
}

type Fields = Readonly<Record<string, unknown>>

const USAGES = ['read', 'read-write', 'uniform', 'out', 'scratch']
const PASS_KEYS = ['code', 'entryPoint', 'workgroups', 'bindings', 'constants']
const BUFFER_KEYS = ['data', 'usage', 'type', 'length']
const MOST_BUFFERS = 64
const MOST_PASSES = 1024
/** Of a shader's text, in characters. */
const MOST_CODE = 1024 * 1024
/** A typed array cannot be larger than that in every engine; what a GPU takes is the broker's to say. */
const MOST_BYTES = 2 * 1024 ** 3 - 4

/**
 * Checks what a task asks of its GPU. `keptNumber` says which kept buffer a value is, undefined for all that is none.
 *
 * @throws TypeError or RangeError by the name of what is wrong.
 */
export function checkRequest(request: unknown, keptNumber: (value: object) => number | undefined): CheckedRequest {
  const given = fieldsOf('gpu.run()', request)
  const isOne = given['passes'] === undefined
  refuseUnknown('gpu.run()', given, isOne ? ['buffers', 'signal', ...PASS_KEYS] : ['buffers', 'signal', 'passes'])
  const moved: ArrayBuffer[] = []
  const results: { name: string; type: GpuArrayType }[] = []
  const entries = Object.entries(fieldsOf('buffers', given['buffers']))
  if (entries.length === 0 || entries.length > MOST_BUFFERS)
    throw new RangeError(`buffers must name 1 to ${MOST_BUFFERS} of them, got ${entries.length}`)
  const buffers = entries.map(([name, value]): WiredBuffer => {
    // Such keys come first in an object, whatever the order in which they were written: the bindings would be others.
    if (/^\d+$/.test(name))
      throw new RangeError(`buffers: the name ${name} is a number; bindings go by the order of names`)
    const kept = typeof value === 'object' && value !== null ? keptNumber(value) : undefined
    return kept === undefined ? checkBuffer(name, value, results, moved) : { name, kept }
  })
  const passes = isOne ? [checkPass('', given, entries)] : checkPasses(given['passes'], entries)
  return { buffers, passes, results, signal: checkSignal(given['signal']), moved }
}

/** Bytes and a copy of what is to be in a buffer that is kept. @throws TypeError or RangeError */
export function checkContent(content: unknown): { bytes: number; data: Uint8Array | undefined; moved: ArrayBuffer[] } {
  if (ArrayBuffer.isView(content)) {
    const data = copyOf('createBuffer()', content)
    return { bytes: data.byteLength, data, moved: movable(data) }
  }
  const { bytes } = fieldsOf('createBuffer()', content)
  return { bytes: whole('bytes', bytes, 1, MOST_BYTES), data: undefined, moved: [] }
}

/** @throws TypeError for what is no typed array's constructor. */
export function checkType(name: string, type: unknown = Float32Array): GpuArrayType {
  const { BYTES_PER_ELEMENT: size } = type as { BYTES_PER_ELEMENT?: unknown }
  if (typeof type !== 'function' || typeof size !== 'number' || size > 4)
    throw new TypeError(`${name}: type must be the class of a typed array of up to 4 bytes, as Float32Array`)
  return type as unknown as GpuArrayType
}

function checkBuffer(
  name: string,
  value: unknown,
  results: { name: string; type: GpuArrayType }[],
  moved: ArrayBuffer[],
): WiredBuffer {
  const where = `buffers.${name}`
  const given = fieldsOf(where, value)
  refuseUnknown(where, given, BUFFER_KEYS)
  const { data, usage = 'read' } = given
  if (!USAGES.includes(usage as string))
    throw new RangeError(`${where}: usage must be one of ${USAGES.join(', ')}, got ${describe(usage)}`)
  const isReadBack = usage === 'out' || usage === 'read-write'
  if (usage === 'out' || usage === 'scratch') {
    if (data !== undefined) throw new TypeError(`${where}: ${usage} takes length and type, and read-write takes data`)
    const type = checkType(where, given['type'])
    const bytes =
      whole(`${where}.length`, given['length'], 1, MOST_BYTES / type.BYTES_PER_ELEMENT) * type.BYTES_PER_ELEMENT
    if (isReadBack) results.push({ name, type })
    return { name, bytes, data: undefined, isUniform: false, isReadBack }
  }
  if (!ArrayBuffer.isView(data))
    throw new TypeError(`${where}: ${usage} takes data, a typed array, got ${describe(data)}`)
  if (given['length'] !== undefined || given['type'] !== undefined)
    throw new TypeError(`${where}: length and type are those of data`)
  const copy = copyOf(where, data)
  moved.push(...movable(copy))
  if (isReadBack) results.push({ name, type: checkType(where, data.constructor) })
  return { name, bytes: copy.byteLength, data: copy, isUniform: usage === 'uniform', isReadBack }
}

function checkPasses(passes: unknown, buffers: readonly [string, unknown][]): WiredPass[] {
  if (!Array.isArray(passes) || passes.length === 0) throw new TypeError('passes must be an array of at least one')
  if (passes.length > MOST_PASSES) throw new RangeError(`passes: at most ${MOST_PASSES}, got ${passes.length}`)
  return passes.map((pass: unknown, index) => {
    const where = `passes[${index}]`
    const given = fieldsOf(where, pass)
    refuseUnknown(where, given, PASS_KEYS)
    return checkPass(`${where}.`, given, buffers)
  })
}

function checkPass(where: string, given: Fields, buffers: readonly [string, unknown][]): WiredPass {
  const { code, entryPoint, workgroups, bindings = buffers.map(([name]) => name), constants = {} } = given
  if (typeof code !== 'string') throw new TypeError(`${where}code must be a text of WGSL, got ${describe(code)}`)
  if (code.length > MOST_CODE) throw new RangeError(`${where}code is longer than ${MOST_CODE} characters`)
  if (entryPoint !== undefined && typeof entryPoint !== 'string')
    throw new TypeError(`${where}entryPoint must be a string, got ${describe(entryPoint)}`)
  if (!Array.isArray(bindings)) throw new TypeError(`${where}bindings must be an array of names of buffers`)
  const places = (bindings as unknown[]).map((name) => {
    const place = buffers.findIndex(([each]) => each === name)
    if (place >= 0) return place
    throw new RangeError(
      `${where}bindings: there is no buffer ${describe(name)}; there are ${buffers.map(([each]) => each).join(', ')}`,
    )
  })
  for (const [name, value] of Object.entries(fieldsOf(`${where}constants`, constants)))
    if (typeof value !== 'number')
      throw new TypeError(`${where}constants.${name} must be a number, got ${describe(value)}`)
  return {
    code,
    entryPoint,
    workgroups: checkWorkgroups(`${where}workgroups`, workgroups as GpuPass['workgroups']),
    bindings: places,
    constants: { ...(constants as Readonly<Record<string, number>>) },
  }
}

function checkWorkgroups(where: string, value: unknown): [number, number, number] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > 3) throw new TypeError(`${where} must be a number or one to three of them`)
  const [x, y, z] = [0, 1, 2].map((axis) => whole(where, list[axis] ?? (axis === 0 ? undefined : 1), 1, 2 ** 32 - 1))
  return [x as number, y as number, z as number]
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function')
    throw new TypeError(`signal must be an AbortSignal, got ${describe(signal)}`)
  return signal as AbortSignal | undefined
}

/** Memory that workers share is read where it lies; of all else the view's own bytes, since a clone takes the whole buffer. */
function copyOf(where: string, view: ArrayBufferView): Uint8Array {
  if (view.byteLength === 0) throw new RangeError(`${where}: data is empty`)
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return isShared(view.buffer) ? bytes : bytes.slice()
}

function movable({ buffer }: Uint8Array): ArrayBuffer[] {
  return isShared(buffer) ? [] : [buffer as ArrayBuffer]
}

function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer
}

function fieldsOf(where: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new TypeError(`${where} takes an object, got ${describe(value)}`)
  return value as Fields
}

function refuseUnknown(where: string, given: Fields, known: readonly string[]): void {
  for (const key of Object.keys(given))
    if (!known.includes(key)) throw new TypeError(`${where}: unknown ${key}; known are ${known.join(', ')}`)
}

function whole(where: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw new TypeError(`${where} must be a number, got ${describe(value)}`)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${where} must be a whole number from ${least} to ${most}, got ${value}`)
  return value
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}
