// Long because one class writes every kind of value, and each kind needs the same writer, path and places.
import { ByteWriter } from '../bytes.ts'
import { SerializationError, ShoalError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { isBlob, isFile } from './blob.ts'
import type { BlobLike } from './blob.ts'
import { isDetached, OutgoingBuffers, UnmovableBuffer } from './buffer-table.ts'
import { builtinOf, hasMethodsOfItsOwn, isPlainArray, viewKind } from './classify.ts'
import { isImageData } from './image-data.ts'
import type { ImageDataLike } from './image-data.ts'
import type { EncodedValue, OutgoingValue } from './encoded-value.ts'
import type { RegisteredClass, SerializerRegistry } from './serializer-registry.ts'
import { isStackOverflow } from './stack-overflow.ts'
import { ERROR_CLASSES, TAG } from './tags.ts'
import { isMarked, unmark } from './transfer.ts'

/** What only the SDK can turn into data. */
export type Replacement =
  | { readonly kind: 'ref'; readonly id: ObjectId }
  /** A remote function or an actor handle. */
  | { readonly kind: 'extension'; readonly name: string; readonly payload: unknown }

export interface EncodeHooks {
  /** Asked for every object and function; undefined means: nothing special. May throw SerializationError. */
  replace(value: object): Replacement | undefined
  /** The classes that are registered where the value comes from. */
  serializers?(): SerializerRegistry | undefined
}

export const noEncodeHooks: EncodeHooks = { replace: () => undefined }

/**
 * Encodes values as the structured clone algorithm copies them (HTML standard, section 2.7): cycles and shared objects,
 * Map, Set, Date, RegExp, BigInt, buffers, errors. It differs where cloning would lose something in silence: instances
 * of classes that are not registered are refused. Copies everything, so that the caller may go on changing the value,
 * but for what was given to `transfer`. What cannot be cloned is a SerializationError whose `details.path` says where.
 */
export class ValueEncoder {
  readonly #writer = new ByteWriter(1024)
  readonly #hooks: EncodeHooks
  #refs: ObjectId[] = []
  #beside: (Uint8Array<ArrayBuffer> | BlobLike)[] = []
  #buffers: OutgoingBuffers | undefined
  #seen: Map<object, number> | undefined
  /** Objects that the decoder can make only when it has all of their data. */
  #open: Map<number, string> | undefined
  #moved: object[] = []
  #isMoving = false
  #takesBlobs = false
  #name = ''
  #path: (string | number)[] = []

  constructor(hooks: EncodeHooks = noEncodeHooks) {
    this.#hooks = hooks
  }

  /**
   * Encodes `value`; `name` is what an error calls it, e.g. `result` or `arguments[0]`. Blobs are refused: their bytes
   * cannot be had at once.
   */
  encode(value: unknown, name: string): EncodedValue {
    this.#takesBlobs = false
    return this.#encode(value, name) as EncodedValue
  }

  /** As `encode`, for a frame to another thread: Blobs stand among its buffers, and the port reads them. */
  encodeForFrame(value: unknown, name: string): OutgoingValue {
    this.#takesBlobs = true
    return this.#encode(value, name)
  }

  #encode(value: unknown, name: string): OutgoingValue {
    this.#refs = []
    this.#beside = []
    this.#buffers = undefined
    this.#seen = undefined
    this.#open = undefined
    this.#moved = []
    this.#isMoving = false
    this.#name = name
    this.#path = []
    this.#writer.truncate(0)
    try {
      this.#value(value)
      this.#finishBuffers()
    } catch (error) {
      if (isStackOverflow(error))
        throw new SerializationError('not-serializable', `${name} is nested too deeply to be sent`)
      if (error instanceof Unclonable) throw cannotBeSent(this.#where(), error.reason, error.cause)
      if (error instanceof UnmovableBuffer)
        throw cannotBeSent(
          error.path,
          'its buffer cannot be moved, as that of a WebAssembly.Memory; do not transfer() it',
        )
      throw error
    }
    for (const object of this.#moved) unmark(object)
    return { refs: this.#refs, body: this.#writer.finish(), buffers: this.#beside }
  }

  #finishBuffers(): void {
    this.#buffers?.finish(this.#writer, this.#beside)
  }

  #where(): string {
    let path = this.#name
    for (const step of this.#path) {
      if (typeof step === 'number') path += `[${step}]`
      else path += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    }
    return path
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
        this.#string(value)
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

  #string(value: string): void {
    const writer = this.#writer
    const start = writer.length
    writer.u8(TAG.string)
    writer.string(value)
    if (isAscii(value, writer.length - start - 1) || !LONE_SURROGATE.test(value)) return
    writer.truncate(start)
    writer.u8(TAG.units)
    writer.varint(value.length)
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      writer.u8(unit & 0xff)
      writer.u8(unit >>> 8)
    }
  }

  #object(value: object): void {
    const writer = this.#writer
    const seen = this.#seen?.get(value)
    if (seen !== undefined) {
      const open = this.#open?.get(seen)
      if (open !== undefined)
        throw new Unclonable(`it leads back to ${open}, which is made only when all of it is there`)
      writer.u8(TAG.again)
      writer.varint(seen)
      return
    }
    this.#seen ??= new Map()
    const place = this.#seen.size
    this.#seen.set(value, place)
    const wasMoving = this.#isMoving
    if (!wasMoving && isMarked(value)) {
      this.#moved.push(value)
      this.#isMoving = true
    }
    const replacement = this.#hooks.replace(value)
    if (replacement !== undefined) this.#replacement(replacement, place)
    else if (typeof value === 'function') throw new Unclonable(`it is a function (${value.name || 'anonymous'})`)
    else if (isPlainArray(value)) this.#array(value)
    else this.#byClass(value, place)
    this.#isMoving = wasMoving
  }

  #replacement(replacement: Replacement, place: number): void {
    if (replacement.kind === 'ref') {
      if (this.#refs.length === LIMITS.valueReferences)
        throw new Unclonable(`one value holds at most ${LIMITS.valueReferences} references`)
      this.#writer.u8(TAG.ref)
      this.#writer.varint(this.#refs.length)
      this.#refs.push(replacement.id)
    } else {
      this.#writer.u8(TAG.extension)
      this.#writer.string(replacement.name)
      this.#whole(place, replacement.name, replacement.payload)
    }
  }

  /** The data of an object that can be made only when all of it is there: none of it may be the object itself. */
  #whole(place: number, what: string, data: unknown): void {
    this.#open ??= new Map()
    this.#open.set(place, what)
    this.#value(data)
    this.#open.delete(place)
  }

  #byClass(value: object, place: number): void {
    const writer = this.#writer
    const proto = Object.getPrototypeOf(value) as object | null
    if (proto === Object.prototype || proto === null) {
      this.#properties(value, TAG.object)
      return
    }
    const registered = this.#hooks.serializers?.()?.ofPrototype(proto)
    if (registered !== undefined) {
      this.#instance(value, registered, place)
      return
    }
    const builtin = builtinOf(value)
    // An error is never refused for its class: it would hide what went wrong.
    if (builtin === 'Error') this.#error(value as Error, place)
    else if (builtin !== undefined && hasMethodsOfItsOwn(proto, builtin)) throw this.#unregistered(proto)
    else if (builtin === 'View') this.#view(value as ArrayBufferView)
    else if (builtin === 'ArrayBuffer') {
      const buffer = value as ArrayBuffer
      const number = this.#buffer(buffer, 0, buffer.byteLength)
      writer.u8(TAG.buffer)
      writer.varint(number)
    } else if (builtin === 'Map') this.#map(value as Map<unknown, unknown>)
    else if (builtin === 'Set') {
      const entries = [...(Set.prototype.values.call(value) as Iterable<unknown>)]
      writer.u8(TAG.set)
      writer.varint(entries.length)
      entries.forEach((entry, index) => this.#at(index, entry))
    } else if (builtin === 'Date') {
      writer.u8(TAG.date)
      writer.f64(Date.prototype.getTime.call(value))
    } else if (builtin === 'RegExp') {
      writer.u8(TAG.regexp)
      writer.string((value as RegExp).source)
      writer.string((value as RegExp).flags)
    } else if (builtin === 'boxed') {
      writer.u8(TAG.boxed)
      this.#value((value as { valueOf(): unknown }).valueOf())
    } else if (isBlob(value)) this.#blob(value)
    else if (isImageData(value)) this.#imageData(value)
    else if (Object.getPrototypeOf(proto) === null) this.#properties(value, TAG.object)
    else throw this.#unclonable(value, proto)
  }

  #instance(value: object, { name, serialize }: RegisteredClass, place: number): void {
    const writer = this.#writer
    writer.u8(TAG.instance)
    writer.string(name)
    if (serialize === undefined) {
      this.#properties(value, 0)
      return
    }
    let data: unknown
    try {
      data = serialize(value)
    } catch (error) {
      if (isStackOverflow(error)) throw error
      throw new Unclonable(`the serializer of ${name} threw ${describe(error)}`, error)
    }
    writer.u8(1)
    this.#whole(place, `an instance of ${name}`, data)
  }

  #array(value: readonly unknown[]): void {
    this.#writer.u8(TAG.array)
    this.#writer.varint(value.length)
    for (let i = 0; i < value.length; i++) {
      if (i in value) this.#at(i, value[i])
      else this.#writer.u8(TAG.hole)
    }
  }

  #map(value: Map<unknown, unknown>): void {
    const entries = [...(Map.prototype.entries.call(value) as Iterable<[unknown, unknown]>)]
    this.#writer.u8(TAG.map)
    this.#writer.varint(entries.length)
    for (const [key, entry] of entries) {
      // Objects have no text that may be asked for here: a ref, for one, throws.
      const text = isObject(key) ? undefined : String(key)
      this.#at(text === undefined ? 'key' : `key ${text}`, key)
      this.#at(text ?? 'value', entry)
    }
  }

  #properties(value: object, tag: number): void {
    const keys = Object.keys(value)
    this.#writer.u8(tag)
    this.#writer.varint(keys.length)
    for (const key of keys) {
      this.#key(key)
      this.#at(key, this.#read(value, key))
    }
  }

  #key(key: string): void {
    const start = this.#writer.length
    this.#writer.string(key)
    if (!isAscii(key, this.#writer.length - start) && LONE_SURROGATE.test(key))
      throw new Unclonable(`the key ${JSON.stringify(key)} is no valid Unicode`)
  }

  /** Getters are user code. */
  #read(value: object, key: string): unknown {
    try {
      return (value as Record<string, unknown>)[key]
    } catch (error) {
      if (isStackOverflow(error)) throw error
      this.#path.push(key)
      throw new Unclonable(`reading it threw ${describe(error)}`, error)
    }
  }

  #view(value: ArrayBufferView): void {
    const kind = viewKind(value)
    if (kind < 0) throw new Unclonable(`a ${Object.prototype.toString.call(value).slice(8, -1)} is not known here`)
    const number = this.#buffer(value.buffer, value.byteOffset, value.byteLength)
    const writer = this.#writer
    writer.u8(TAG.view)
    writer.u8(kind)
    writer.varint(number)
    writer.varint(value.byteOffset)
    writer.varint(value.byteLength)
  }

  #buffer(buffer: ArrayBufferLike, offset: number, length: number): number {
    if (Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]')
      throw new Unclonable('it is shared memory, which cannot leave its tab')
    if (isDetached(buffer as ArrayBuffer)) throw new Unclonable('its buffer was moved away, by transfer() perhaps')
    this.#buffers ??= new OutgoingBuffers()
    return this.#buffers.add(buffer as ArrayBuffer, offset, length, this.#isMoving ? this.#where() : undefined)
  }

  #blob(value: BlobLike): void {
    if (!this.#takesBlobs)
      throw new Unclonable("a Blob's bytes cannot be had at once; pass it as an argument, or put() it")
    if (value.size > LIMITS.objectBytes) throw new Unclonable(`it is larger than ${LIMITS.objectBytes} bytes`)
    const writer = this.#writer
    writer.u8(TAG.blob)
    writer.u8(isFile(value) ? 1 : 0)
    writer.string(value.type)
    writer.varint(value.size)
    writer.varint(this.#beside.length)
    this.#beside.push(value)
    if (!isFile(value)) return
    writer.string(value.name)
    writer.f64(value.lastModified)
  }

  #imageData(value: ImageDataLike): void {
    const writer = this.#writer
    writer.u8(TAG.imageData)
    writer.varint(value.width)
    writer.varint(value.height)
    writer.string(value.colorSpace)
    this.#at('data', value.data)
  }

  /** Class, name, message, stack, cause, and the own enumerable properties that are no functions. */
  #error(value: Error, place: number): void {
    const writer = this.#writer
    if (ShoalError.is(value)) {
      writer.u8(TAG.shoalError)
      writer.string(value.code)
      writer.string(readText(() => value.message) ?? '')
      writer.string(readText(() => value.stack) ?? '')
      this.#whole(place, 'the error', { details: value.details, cause: value.cause })
      return
    }
    writer.u8(TAG.error)
    writer.string(errorClass(value))
    writer.string(this.#hooks.serializers?.()?.errorName(value) ?? '')
    writer.string(readText(() => value.name) ?? 'Error')
    writer.string(readText(() => value.message) ?? '')
    writer.string(readText(() => value.stack) ?? '')
    const fields: Record<string, unknown> = {}
    if ('cause' in value && value.cause !== undefined) fields['cause'] = value.cause
    if (Array.isArray((value as AggregateError).errors)) fields['errors'] = (value as AggregateError).errors
    for (const key of Object.keys(value)) {
      if (key === 'stack' || key === 'message') continue
      const field = readField(value, key)
      if (typeof field !== 'function' && typeof field !== 'symbol') fields[key] = field
    }
    this.#properties(fields, TAG.object)
  }

  #unclonable(value: object, proto: object): Unclonable {
    const kind = Object.prototype.toString.call(value).slice(8, -1)
    if (kind === 'Promise') return new Unclonable('it is a Promise: await it first')
    if (NEVER.has(kind)) return new Unclonable(`a ${kind} belongs to its own thread`)
    return this.#unregistered(proto)
  }

  #unregistered(proto: object): Unclonable {
    const Class: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
    const name = typeof Class === 'function' && Class.name !== '' ? Class.name : 'an unnamed class'
    return new Unclonable(
      `it is an instance of ${name}, whose methods would be lost: ` +
        `registerSerializer(${name}, { name: '${name}' }) where it is sent and where it arrives, or send plain data`,
    )
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
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause })
    this.reason = reason
  }
}

function cannotBeSent(path: string, reason: string, cause?: unknown): SerializationError {
  return new SerializationError('not-serializable', `${path} cannot be sent: ${reason}`, { details: { path }, cause })
}

/** Half of a surrogate pair, which UTF-8 cannot say. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** Told by the bytes that the text took with its length: anything else takes more than one a character. */
function isAscii(text: string, bytes: number): boolean {
  let lengthBytes = 1
  for (let rest = text.length; rest > 0x7f; rest = Math.floor(rest / 0x80)) lengthBytes++
  return bytes === text.length + lengthBytes
}

const NEVER = new Set([
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'Generator',
  'AsyncGenerator',
  'SharedArrayBuffer',
  'Window',
  'MessagePort',
  'Worker',
  'AbortSignal',
  'AbortController',
  'OffscreenCanvas',
  'ReadableStream',
  'WritableStream',
])

/** The built-in class to make it again as: by its name, as structured clone does, else the nearest it extends. */
function errorClass(error: Error): string {
  const tag = Object.prototype.toString.call(error).slice(8, -1)
  if (tag === 'DOMException') return tag
  if (Array.isArray((error as AggregateError).errors) && error instanceof AggregateError) return 'AggregateError'
  const name = readText(() => error.name) ?? 'Error'
  if (name in ERROR_CLASSES) return name
  for (const [known, Class] of Object.entries(ERROR_CLASSES))
    if (known !== 'Error' && error instanceof Class) return known
  return 'Error'
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function describe(thrown: unknown): string {
  return readText(() => String(thrown))?.slice(0, 500) ?? 'something that cannot be shown'
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
