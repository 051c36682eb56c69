import { ByteWriter } from '../bytes.ts'
import type { ObjectId } from '../ids.ts'
import type { BlobLike } from './blob.ts'
import { isDetached, OutgoingBuffers, UnmovableBuffer } from './buffer-table.ts'
import { builtinOf, hasMethodsOfItsOwn, isPlainArray, viewKind } from './classify.ts'
import type { Builtin } from './classify.ts'
import type { EncodedValue, OutgoingValue } from './encoded-value.ts'
import { isStackOverflow } from './stack-overflow.ts'
import { TAG } from './tags.ts'
import { isMarked, unmark } from './transfer-marks.ts'

/**
 * Encodes what nearly all values are made of: primitives, arrays, plain objects, Map, Set, Date, buffers and views; the
 * encoder of all kinds (`ValueEncoder`) is built upon it. Alone it is for threads that can send for the other one: it
 * throws for everything else, and what it throws is nobody's to read.
 */
export class PlainEncoder {
  protected readonly writer = new ByteWriter(1024)
  protected refs: ObjectId[] = []
  protected beside: (Uint8Array<ArrayBuffer> | BlobLike)[] = []
  #buffers: OutgoingBuffers | undefined
  #seen: Map<object, number> | undefined
  /** Objects that the decoder can make only when it has all of their data. */
  #open: Map<number, string> | undefined
  #moved: object[] = []
  #isMoving = false
  protected takesBlobs = false
  #name = ''
  #path: (string | number)[] = []

  /**
   * Encodes `value`; `name` is what an error calls it, e.g. `result` or `arguments[0]`. Blobs are refused: their bytes
   * cannot be had at once.
   */
  encode(value: unknown, name: string): EncodedValue {
    this.takesBlobs = false
    return this.#encode(value, name) as EncodedValue
  }

  /** As `encode`, for a frame to another thread: Blobs stand among its buffers, and the port reads them. */
  encodeForFrame(value: unknown, name: string): OutgoingValue {
    this.takesBlobs = true
    return this.#encode(value, name)
  }

  #encode(value: unknown, name: string): OutgoingValue {
    this.refs = []
    this.beside = []
    this.#buffers = undefined
    this.#seen = undefined
    this.#open = undefined
    this.#moved = []
    this.#isMoving = false
    this.#name = name
    this.#path = []
    this.writer.truncate(0)
    try {
      this.value(value)
      this.#finishBuffers()
    } catch (error) {
      if (isStackOverflow(error)) throw this.refusal(name, TOO_DEEP)
      if (error instanceof Unclonable) throw this.refusal(this.#where(), error.reason, error.cause)
      if (error instanceof UnmovableBuffer)
        throw this.refusal(
          error.path,
          'its buffer cannot be moved, as that of a WebAssembly.Memory; do not transfer() it',
        )
      throw error
    }
    for (const object of this.#moved) unmark(object)
    return { refs: this.refs, body: this.writer.finish(), buffers: this.beside }
  }

  #finishBuffers(): void {
    this.#buffers?.finish(this.writer, this.beside)
  }

  #where(): string {
    let path = this.#name
    for (const step of this.#path) {
      if (typeof step === 'number') path += `[${step}]`
      else path += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    }
    return path
  }

  protected value(value: unknown): void {
    const writer = this.writer
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
      this.writer.u8(TAG.integer)
      this.writer.varint(value >= 0 ? value * 2 : -value * 2 - 1)
    } else {
      this.writer.u8(TAG.number)
      this.writer.f64(value)
    }
  }

  #string(value: string): void {
    const writer = this.writer
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
    const writer = this.writer
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
    if (this.special(value, place)) {
      // Written.
    } else if (typeof value === 'function') throw new Unclonable(`it is a function (${value.name || 'anonymous'})`)
    else if (isPlainArray(value)) this.#array(value)
    else this.byClass(value, place)
    this.#isMoving = wasMoving
  }

  /** The data of an object that can be made only when all of it is there: none of it may be the object itself. */
  protected whole(place: number, what: string, data: unknown): void {
    this.#open ??= new Map()
    this.#open.set(place, what)
    this.value(data)
    this.#open.delete(place)
  }

  /** Kinds that are written here, by what they are; all others are `rare`. */
  protected byClass(value: object, place: number): void {
    const { writer } = this
    const proto = Object.getPrototypeOf(value) as object | null
    if (proto === Object.prototype || proto === null) {
      this.properties(value, TAG.object)
      return
    }
    const builtin = builtinOf(value)
    if (builtin === undefined || hasMethodsOfItsOwn(proto, builtin)) this.rare(value, place, proto, builtin)
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
      entries.forEach((entry, index) => this.at(index, entry))
    } else if (builtin === 'Date') {
      writer.u8(TAG.date)
      writer.f64(Date.prototype.getTime.call(value))
    } else this.rare(value, place, proto, builtin)
  }

  /** What only the SDK can turn into data; true when it was written. */
  protected special(_value: object, _place: number): boolean {
    return false
  }

  protected rare(_value: object, _place: number, _proto: object, _builtin: Builtin | undefined): void {
    throw new Unclonable('it is no plain data')
  }

  /** What is thrown for a value that cannot be sent. */
  protected refusal(path: string, reason: string, cause?: unknown): Error {
    return new Error(`${path}: ${reason}`, { cause })
  }

  #array(value: readonly unknown[]): void {
    this.writer.u8(TAG.array)
    this.writer.varint(value.length)
    for (let i = 0; i < value.length; i++) {
      if (i in value) this.at(i, value[i])
      else this.writer.u8(TAG.hole)
    }
  }

  #map(value: Map<unknown, unknown>): void {
    const entries = [...(Map.prototype.entries.call(value) as Iterable<[unknown, unknown]>)]
    this.writer.u8(TAG.map)
    this.writer.varint(entries.length)
    for (const [key, entry] of entries) {
      // Objects have no text that may be asked for here: a ref, for one, throws.
      const text = isObject(key) ? undefined : String(key)
      this.at(text === undefined ? 'key' : `key ${text}`, key)
      this.at(text ?? 'value', entry)
    }
  }

  protected properties(value: object, tag: number): void {
    const keys = Object.keys(value)
    this.writer.u8(tag)
    this.writer.varint(keys.length)
    for (const key of keys) {
      this.#key(key)
      this.at(key, this.read(value, key))
    }
  }

  #key(key: string): void {
    const start = this.writer.length
    this.writer.string(key)
    if (!isAscii(key, this.writer.length - start) && LONE_SURROGATE.test(key))
      throw new Unclonable(`the key ${JSON.stringify(key)} is no valid Unicode`)
  }

  /** Getters are user code. */
  protected read(value: object, key: string): unknown {
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
    const writer = this.writer
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

  protected at(step: string | number, value: unknown): void {
    if (typeof value === 'number') {
      this.#number(value)
      return
    }
    this.#path.push(step)
    this.value(value)
    this.#path.pop()
  }
}

/** Thrown inside and caught at the top, where the path is known. */
export class Unclonable extends Error {
  readonly reason: string
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause })
    this.reason = reason
  }
}

const TOO_DEEP = 'it is nested too deeply'

/** Half of a surrogate pair, which UTF-8 cannot say. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** Told by the bytes that the text took with its length: anything else takes more than one a character. */
function isAscii(text: string, bytes: number): boolean {
  let lengthBytes = 1
  for (let rest = text.length; rest > 0x7f; rest = Math.floor(rest / 0x80)) lengthBytes++
  return bytes === text.length + lengthBytes
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

export function describe(thrown: unknown): string {
  return readText(() => String(thrown))?.slice(0, 500) ?? 'something that cannot be shown'
}

export function readText(read: () => unknown): string | undefined {
  try {
    const text = read()
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}
