import { ByteWriter } from '../bytes.ts'
import { SerializationError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import type { EncodedValue } from './encoded-value.ts'
import { isStackOverflow } from './stack-overflow.ts'
import { TAG, VIEWS } from './tags.ts'
import type { ViewName } from './tags.ts'

/** What only the SDK can turn into data. */
export type Replacement =
  | { readonly kind: 'ref'; readonly id: ObjectId }
  /** A remote function, an actor handle, or a class with a registered codec. */
  | { readonly kind: 'extension'; readonly name: string; readonly payload: unknown }

export interface EncodeHooks {
  /** Asked for every object and function; undefined means: nothing special. May throw SerializationError. */
  replace(value: object): Replacement | undefined
}

export const noEncodeHooks: EncodeHooks = { replace: () => undefined }

/**
 * Encodes values as the structured clone algorithm copies them (HTML standard, section 2.7): cycles and shared objects,
 * Map, Set, Date, RegExp, BigInt, buffers, errors; class instances become plain objects. Copies everything, so that the
 * caller may go on changing the value. What cannot be cloned is a SerializationError whose `details.path` says where.
 */
export class ValueEncoder {
  readonly #writer = new ByteWriter(1024)
  readonly #hooks: EncodeHooks
  #refs: ObjectId[] = []
  #buffers: Uint8Array<ArrayBuffer>[] = []
  #seen: Map<object, number> | undefined
  #path: (string | number)[] = []

  constructor(hooks: EncodeHooks = noEncodeHooks) {
    this.#hooks = hooks
  }

  /** Encodes `value`; `name` is what an error calls it, e.g. `result` or `arguments[0]`. */
  encode(value: unknown, name: string): EncodedValue {
    this.#refs = []
    this.#buffers = []
    this.#seen = undefined
    this.#path = []
    this.#writer.truncate(0)
    try {
      this.#value(value)
    } catch (error) {
      if (isStackOverflow(error))
        throw new SerializationError('not-serializable', `${name} is nested too deeply to be sent`)
      if (error instanceof Unclonable) throw this.#describe(name, error.reason)
      throw error
    }
    return { refs: this.#refs, body: this.#writer.finish(), buffers: this.#buffers }
  }

  #describe(name: string, reason: string): SerializationError {
    let path = name
    for (const step of this.#path) {
      if (typeof step === 'number') path += `[${step}]`
      else path += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    }
    return new SerializationError('not-serializable', `${path} cannot be sent: ${reason}`, { details: { path } })
  }

  #value(value: unknown): void {
    const writer = this.#writer
    switch (typeof value) {
      case 'undefined':
        writer.u8(TAG.undefined)
        return
      case 'boolean':
        writer.u8(value ? TAG.true : TAG.false)
        return
      case 'number':
        this.#number(value)
        return
      case 'string':
        writer.u8(TAG.string)
        writer.string(value)
        return
      case 'bigint':
        writer.u8(TAG.bigint)
        writer.string(value.toString(16))
        return
      case 'symbol':
        throw new Unclonable('it is a symbol')
      case 'function':
        this.#object(value)
        return
      case 'object':
        if (value === null) writer.u8(TAG.null)
        else this.#object(value)
    }
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#writer.u8(TAG.integer)
      this.#writer.varint(value >= 0 ? value * 2 : -value * 2 - 1)
    } else {
      this.#writer.u8(TAG.number)
      this.#writer.f64(value)
    }
  }

  #object(value: object): void {
    const writer = this.#writer
    const place = this.#seen?.get(value)
    if (place !== undefined) {
      writer.u8(TAG.again)
      writer.varint(place)
      return
    }
    this.#seen ??= new Map()
    this.#seen.set(value, this.#seen.size)
    const replacement = this.#hooks.replace(value)
    if (replacement !== undefined) this.#replacement(replacement)
    else if (typeof value === 'function') throw new Unclonable(`it is a function (${value.name || 'anonymous'})`)
    else if (Array.isArray(value)) this.#array(value)
    else this.#byClass(value)
  }

  #replacement(replacement: Replacement): void {
    if (replacement.kind === 'ref') {
      this.#writer.u8(TAG.ref)
      this.#writer.varint(this.#refs.length)
      this.#refs.push(replacement.id)
    } else {
      this.#writer.u8(TAG.extension)
      this.#writer.string(replacement.name)
      this.#value(replacement.payload)
    }
  }

  #byClass(value: object): void {
    const writer = this.#writer
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) this.#buffer(value)
    else if (value instanceof Map) {
      writer.u8(TAG.map)
      writer.varint(value.size)
      for (const [key, entry] of [...value]) {
        // Objects have no text that may be asked for here: a ref, for one, throws.
        const text = isObject(key) ? undefined : String(key)
        this.#at(text === undefined ? 'key' : `key ${text}`, key)
        this.#at(text ?? 'value', entry)
      }
    } else if (value instanceof Set) {
      writer.u8(TAG.set)
      writer.varint(value.size)
      let index = 0
      for (const entry of [...value]) this.#at(index++, entry)
    } else if (value instanceof Date) {
      writer.u8(TAG.date)
      writer.f64(value.getTime())
    } else if (value instanceof RegExp) {
      writer.u8(TAG.regexp)
      writer.string(value.source)
      writer.string(value.flags)
    } else if (value instanceof Error) this.#error(value)
    else if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      writer.u8(TAG.boxed)
      this.#value(value.valueOf())
    } else this.#plain(value)
  }

  #array(value: readonly unknown[]): void {
    this.#writer.u8(TAG.array)
    this.#writer.varint(value.length)
    for (let i = 0; i < value.length; i++) {
      if (i in value) this.#at(i, value[i])
      else this.#writer.u8(TAG.hole)
    }
  }

  #plain(value: object): void {
    const kind = Object.prototype.toString.call(value).slice(8, -1)
    if (NEVER.has(kind)) throw new Unclonable(`a ${kind} belongs to its own thread`)
    this.#properties(value, TAG.object)
  }

  #properties(value: object, tag: number): void {
    const keys = Object.keys(value)
    this.#writer.u8(tag)
    this.#writer.varint(keys.length)
    for (const key of keys) {
      this.#writer.string(key)
      this.#at(key, (value as Record<string, unknown>)[key])
    }
  }

  /** name, message, stack, cause, and the own enumerable properties that can be cloned. */
  #error(value: Error): void {
    const writer = this.#writer
    writer.u8(TAG.error)
    writer.string(readText(() => value.name) ?? 'Error')
    writer.string(readText(() => value.message) ?? '')
    writer.string(readText(() => value.stack) ?? '')
    const fields: Record<string, unknown> = {}
    if ('cause' in value && value.cause !== undefined) fields['cause'] = value.cause
    if (value instanceof AggregateError) fields['errors'] = value.errors as unknown
    for (const key of Object.keys(value)) {
      if (key === 'stack' || key === 'message') continue
      const field = readField(value, key)
      if (typeof field !== 'function' && typeof field !== 'symbol') fields[key] = field
    }
    this.#properties(fields, TAG.object)
  }

  #buffer(value: ArrayBufferView | ArrayBuffer): void {
    const whole = value instanceof ArrayBuffer
    const buffer = whole ? value : value.buffer
    if (!(buffer instanceof ArrayBuffer)) throw new Unclonable('it is shared memory, which cannot leave its tab')
    const bytes = whole ? new Uint8Array(value) : new Uint8Array(buffer, value.byteOffset, value.byteLength)
    const name = whole ? 'ArrayBuffer' : Object.prototype.toString.call(value).slice(8, -1)
    const kind = VIEWS.indexOf(name as ViewName)
    if (kind < 0) throw new Unclonable(`a ${name} is not known here`)
    if (bytes.length >= LIMITS.outOfBandBytes) {
      this.#writer.u8(TAG.outOfBand)
      this.#writer.u8(kind)
      this.#writer.varint(this.#buffers.length)
      this.#buffers.push(bytes.slice())
    } else {
      this.#writer.u8(TAG.buffer)
      this.#writer.u8(kind)
      this.#writer.bytes(bytes)
    }
  }

  #at(step: string | number, value: unknown): void {
    if (typeof value === 'number') {
      this.#number(value)
      return
    }
    this.#path.push(step)
    this.#value(value)
    this.#path.pop()
  }
}

/** Thrown inside and caught at the top, where the path is known. */
class Unclonable extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

const NEVER = new Set([
  'Promise',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'Generator',
  'AsyncGenerator',
  'AsyncFunction',
  'SharedArrayBuffer',
  'Window',
  'MessagePort',
  'Worker',
  'AbortSignal',
  'AbortController',
  'OffscreenCanvas',
  'Blob',
  'ReadableStream',
  'WritableStream',
])

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function readText(read: () => unknown): string | undefined {
  try {
    const text = read()
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}

/** A getter that throws is left out rather than hiding the error that carries it. */
function readField(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
