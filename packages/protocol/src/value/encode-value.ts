import { SerializationError, ShoalError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { isBlob, isFile } from './blob.ts'
import type { BlobLike } from './blob.ts'
import { hasMethodsOfItsOwn } from './classify.ts'
import type { Builtin } from './classify.ts'
import { isImageData } from './image-data.ts'
import type { ImageDataLike } from './image-data.ts'
import { describe, PlainEncoder, readText, Unclonable } from './plain-encoder.ts'
import type { RegisteredClass, SerializerRegistry } from './serializer-registry.ts'
import { isStackOverflow } from './stack-overflow.ts'
import { ERROR_CLASSES, TAG } from './tags.ts'

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
export class ValueEncoder extends PlainEncoder {
  readonly #hooks: EncodeHooks

  constructor(hooks: EncodeHooks = noEncodeHooks) {
    super()
    this.#hooks = hooks
  }

  protected override special(value: object, place: number): boolean {
    const replacement = this.#hooks.replace(value)
    if (replacement !== undefined) this.#replacement(replacement, place)
    return replacement !== undefined
  }

  protected override byClass(value: object, place: number): void {
    const proto = Object.getPrototypeOf(value) as object | null
    const registered = proto === null ? undefined : this.#hooks.serializers?.()?.ofPrototype(proto)
    if (registered !== undefined) this.#instance(value, registered, place)
    else super.byClass(value, place)
  }

  protected override rare(value: object, place: number, proto: object, builtin: Builtin | undefined): void {
    const { writer } = this
    // An error is never refused for its class: it would hide what went wrong.
    if (builtin === 'Error') this.#error(value as Error, place)
    else if (builtin === 'RegExp' && !hasMethodsOfItsOwn(proto, builtin)) {
      writer.u8(TAG.regexp)
      writer.string((value as RegExp).source)
      writer.string((value as RegExp).flags)
    } else if (builtin === 'boxed' && !hasMethodsOfItsOwn(proto, builtin)) {
      writer.u8(TAG.boxed)
      this.value((value as { valueOf(): unknown }).valueOf())
    } else if (builtin !== undefined) throw this.#unregistered(proto)
    else if (isBlob(value)) this.#blob(value)
    else if (isImageData(value)) this.#imageData(value)
    else if (Object.getPrototypeOf(proto) === null) this.properties(value, TAG.object)
    else throw this.#unclonable(value, proto)
  }

  protected override refusal(path: string, reason: string, cause?: unknown): Error {
    return new SerializationError('not-serializable', `${path} cannot be sent: ${reason}`, { details: { path }, cause })
  }

  #replacement(replacement: Replacement, place: number): void {
    if (replacement.kind === 'ref') {
      if (this.refs.length === LIMITS.valueReferences)
        throw new Unclonable(`one value holds at most ${LIMITS.valueReferences} references`)
      this.writer.u8(TAG.ref)
      this.writer.varint(this.refs.length)
      this.refs.push(replacement.id)
    } else {
      this.writer.u8(TAG.extension)
      this.writer.string(replacement.name)
      this.whole(place, replacement.name, replacement.payload)
    }
  }

  #instance(value: object, { name, serialize }: RegisteredClass, place: number): void {
    const writer = this.writer
    writer.u8(TAG.instance)
    writer.string(name)
    if (serialize === undefined) {
      this.properties(value, 0)
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
    this.whole(place, `an instance of ${name}`, data)
  }

  #blob(value: BlobLike): void {
    if (!this.takesBlobs)
      throw new Unclonable("a Blob's bytes cannot be had at once; pass it as an argument, or put() it")
    if (value.size > LIMITS.objectBytes) throw new Unclonable(`it is larger than ${LIMITS.objectBytes} bytes`)
    const writer = this.writer
    writer.u8(TAG.blob)
    writer.u8(isFile(value) ? 1 : 0)
    writer.string(value.type)
    writer.varint(value.size)
    writer.varint(this.beside.length)
    this.beside.push(value)
    if (!isFile(value)) return
    writer.string(value.name)
    writer.f64(value.lastModified)
  }

  #imageData(value: ImageDataLike): void {
    const writer = this.writer
    writer.u8(TAG.imageData)
    writer.varint(value.width)
    writer.varint(value.height)
    writer.string(value.colorSpace)
    this.at('data', value.data)
  }

  /** Class, name, message, stack, cause, and the own enumerable properties that are no functions. */
  #error(value: Error, place: number): void {
    const writer = this.writer
    if (ShoalError.is(value)) {
      writer.u8(TAG.shoalError)
      writer.string(value.code)
      writer.string(readText(() => value.message) ?? '')
      writer.string(readText(() => value.stack) ?? '')
      this.whole(place, 'the error', { details: value.details, cause: value.cause })
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
    this.properties(fields, TAG.object)
  }

  #unclonable(value: object, proto: object): Unclonable {
    const kind = Object.prototype.toString.call(value).slice(8, -1)
    if (kind === 'Promise') return new Unclonable('it is a Promise: await it first')
    if (ITERATOR.test(kind))
      return new Unclonable(`it is an iterator (${kind}): return an array of what it gives, as in [...values]`)
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
}

const ITERATOR = /(?:Generator|Iterator|Iterator Helper)$/

const NEVER = new Set([
  'WeakMap',
  'WeakSet',
  'WeakRef',
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

/** A getter that throws is left out rather than hiding the error that carries it. */
function readField(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
