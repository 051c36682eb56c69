// Long because one class reads every kind of value, and each kind needs the same reader and places.
import { ByteReader } from '../bytes.ts'
import { ERROR_CODES, makeError, SerializationError } from '../errors.ts'
import type { ErrorCode, ErrorDetails } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import { ProtocolError } from '../protocol-error.ts'
import { makeBlob } from './blob.ts'
import { besideAt, readBufferTable } from './buffer-table.ts'
import type { ArrivedBuffer } from './buffer-table.ts'
import type { EncodedValue } from './encoded-value.ts'
import { makeImageData } from './image-data.ts'
import type { SerializerRegistry } from './serializer-registry.ts'
import { isStackOverflow } from './stack-overflow.ts'
import { ERROR_CLASSES, TAG, viewConstructor, VIEWS } from './tags.ts'

export interface DecodeHooks {
  /** The ref for an id of the value's list; called once for each occurrence. */
  ref(id: ObjectId): unknown
  extension(name: string, payload: unknown): unknown
  /** The classes that are registered where the value is wanted. */
  serializers?(): SerializerRegistry | undefined
}

export const noDecodeHooks: DecodeHooks = {
  ref(id) {
    throw new ProtocolError('malformed', `an unexpected reference to ${id.number}`)
  },
  extension(name) {
    throw new ProtocolError('malformed', `an unexpected ${name}`)
  },
}

/**
 * Makes a value again. It takes ownership of the encoded value: a large buffer that came alone becomes the value's own.
 * Damaged input is a ProtocolError; what cannot be made here, such as an instance of a class that nobody registered, a
 * SerializationError. Every reference of the list is handed to the hook exactly once, also when decoding fails, so that
 * counts stay right.
 */
export function decodeValue(encoded: EncodedValue, hooks: DecodeHooks = noDecodeHooks): unknown {
  const refs = encoded.refs.map((id) => hooks.ref(id))
  try {
    return new Decoder(encoded, refs, hooks).value()
  } catch (error) {
    if (isStackOverflow(error)) throw new ProtocolError('malformed', 'a value is nested too deeply')
    throw error
  }
}

class Decoder {
  readonly #reader: ByteReader
  readonly #encoded: EncodedValue
  readonly #refs: readonly unknown[]
  readonly #hooks: DecodeHooks
  readonly #seen: unknown[] = []
  #table: readonly ArrivedBuffer[] | undefined

  constructor(encoded: EncodedValue, refs: readonly unknown[], hooks: DecodeHooks) {
    this.#reader = new ByteReader(encoded.body)
    this.#encoded = encoded
    this.#refs = refs
    this.#hooks = hooks
  }

  value(): unknown {
    return this.#tagged(this.#reader.u8())
  }

  #tagged(tag: number): unknown {
    const reader = this.#reader
    switch (tag) {
      case TAG.undefined:
        return undefined
      case TAG.null:
        return null
      case TAG.true:
        return true
      case TAG.false:
        return false
      case TAG.integer: {
        const zigzag = reader.varint()
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
      }
      case TAG.number:
        return reader.f64()
      case TAG.bigint:
        return parseBigInt(reader.string())
      case TAG.string:
        return reader.string()
      case TAG.units:
        return this.#units()
      case TAG.again: {
        const met = this.#again(reader.varint(), this.#seen, 'object')
        if (met === UNMADE) throw new ProtocolError('malformed', 'an object within the data that it is made from')
        return met
      }
      case TAG.ref:
        return this.#remember(this.#again(reader.varint(), this.#refs, 'reference'))
      default:
        return this.#object(tag)
    }
  }

  #object(tag: number): unknown {
    const reader = this.#reader
    switch (tag) {
      case TAG.array:
        return this.#array()
      case TAG.object:
        return this.#fields(this.#remember({}))
      case TAG.map: {
        const map = this.#remember(new Map<unknown, unknown>())
        for (let left = this.#count(); left > 0; left--) {
          const key = this.value()
          map.set(key, this.value())
        }
        return map
      }
      case TAG.set: {
        const set = this.#remember(new Set<unknown>())
        for (let left = this.#count(); left > 0; left--) set.add(this.value())
        return set
      }
      case TAG.date:
        return this.#remember(new Date(reader.f64()))
      case TAG.regexp:
        return this.#regexp()
      case TAG.error:
        return this.#error()
      case TAG.buffer:
        return this.#remember(this.#buffer(reader.varint()).buffer)
      case TAG.view:
        return this.#remember(this.#view())
      case TAG.boxed:
        return this.#whole(() => Object(this.value()) as unknown)
      case TAG.extension:
        return this.#whole(() => {
          const name = reader.string()
          return this.#hooks.extension(name, this.value())
        })
      case TAG.shoalError:
        return this.#whole(() => this.#shoalError())
      case TAG.instance:
        return this.#instance()
      case TAG.blob:
        return this.#remember(this.#blob())
      case TAG.imageData:
        return this.#whole(() => this.#imageData())
      default:
        throw new ProtocolError('malformed', `a value of unknown kind ${tag}`)
    }
  }

  /** What can be made only once all of its data is there; its place comes before theirs. */
  #whole(make: () => unknown): unknown {
    const place = this.#seen.push(UNMADE) - 1
    return (this.#seen[place] = make())
  }

  #units(): string {
    const length = this.#reader.varint()
    if (length * 2 > this.#reader.remaining) throw new ProtocolError('malformed', 'a text longer than its bytes')
    const bytes = this.#reader.raw(length * 2)
    let text = ''
    for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8))
    return text
  }

  #array(): unknown[] {
    const length = this.#reader.varint()
    if (length > this.#reader.remaining) throw new ProtocolError('malformed', 'an array longer than its bytes')
    // Grown as it is read: arrays within arrays could each claim all bytes that are left.
    const items = this.#remember<unknown[]>([])
    for (let i = 0; i < length; i++) {
      const tag = this.#reader.u8()
      if (tag === TAG.hole) items.length = i + 1
      else items.push(this.#tagged(tag))
    }
    return items
  }

  #fields<T extends object>(target: T, hasSetters = false): T {
    for (let left = this.#count(); left > 0; left--) {
      const key = this.#reader.string()
      const value = this.value()
      // A peer may send any key: defining this one keeps it an ordinary property.
      if (hasSetters || key === '__proto__')
        Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
      else (target as Record<string, unknown>)[key] = value
    }
    return target
  }

  #regexp(): RegExp {
    const source = this.#reader.string()
    const flags = this.#reader.string()
    try {
      return this.#remember(new RegExp(source, flags))
    } catch {
      throw new ProtocolError('malformed', 'not a regular expression')
    }
  }

  #error(): Error {
    const reader = this.#reader
    const className = reader.string()
    const registeredName = reader.string()
    const registered = this.#hooks.serializers?.()?.errorClass(registeredName)
    const name = reader.string()
    const error = this.#remember(newError(className, name, reader.string()))
    if (registered !== undefined) Object.setPrototypeOf(error, registered.prototype as object)
    if (error.name !== name) hide(error, 'name', name)
    hide(error, 'stack', reader.string())
    const tag = reader.u8()
    if (tag !== TAG.object) throw new ProtocolError('malformed', 'an error without fields')
    const fields = this.#fields({}) as Record<string, unknown>
    for (const [key, field] of Object.entries(fields)) {
      if (key === 'cause' || key === 'errors') hide(error, key, field)
      else Object.defineProperty(error, key, { value: field, writable: true, enumerable: true, configurable: true })
    }
    return error
  }

  #shoalError(): Error {
    const reader = this.#reader
    const code = reader.string()
    if (!(ERROR_CODES as readonly string[]).includes(code))
      throw new ProtocolError('malformed', `an error of the unknown code ${code}`)
    const message = reader.string()
    const stack = reader.string()
    const { details, cause } = Object(this.value()) as { details?: ErrorDetails; cause?: unknown }
    const error = makeError(code as ErrorCode, message, { cause, details: Object(details ?? {}) as ErrorDetails })
    hide(error, 'stack', stack)
    return error
  }

  #instance(): unknown {
    const name = this.#reader.string()
    const hasData = this.#reader.u8() === 1
    const registered = this.#hooks.serializers?.()?.byName(name)
    if (registered === undefined)
      throw new SerializationError(
        'not-serializable',
        `an instance of ${name} arrived where no class is registered under that name: registerSerializer(${name}, ` +
          `{ name: '${name}' }) has to run here too, in a remote module in a file that the module imports`,
      )
    const { Class, deserialize } = registered
    if (hasData !== (deserialize !== undefined))
      throw new SerializationError('not-serializable', `${name} is registered in another way where it was sent`)
    if (deserialize === undefined)
      return this.#fields(this.#remember(Object.create(Class.prototype as object) as object), true)
    return this.#whole(() => {
      const data = this.value()
      try {
        return deserialize(data)
      } catch (error) {
        if (isStackOverflow(error)) throw error
        throw new SerializationError(
          'not-serializable',
          `the serializer of ${name} could not make an instance: ${String(error)}`,
          { cause: error },
        )
      }
    })
  }

  #blob(): unknown {
    const reader = this.#reader
    const isFile = reader.u8() === 1
    const type = reader.string()
    const size = reader.varint()
    const bytes = besideAt(this.#encoded.buffers, reader.varint())
    const file = isFile ? { name: reader.string(), lastModified: reader.f64() } : undefined
    if (bytes.length !== size)
      throw new SerializationError(
        'not-serializable',
        `${file === undefined ? 'a Blob' : `the file ${file.name}`} could not be read: ${new TextDecoder().decode(bytes.subarray(0, 500))}`,
      )
    const blob = makeBlob(bytes, type, file)
    if (blob === undefined) throw new SerializationError('not-serializable', 'there are no Blobs here')
    return blob
  }

  #imageData(): unknown {
    const reader = this.#reader
    const [width, height, colorSpace] = [reader.varint(), reader.varint(), reader.string()]
    const data = this.value()
    if (!ArrayBuffer.isView(data)) throw new ProtocolError('malformed', 'ImageData without data')
    try {
      return makeImageData(data, width, height, colorSpace)
    } catch (error) {
      throw new SerializationError('not-serializable', `ImageData could not be made here: ${String(error)}`)
    }
  }

  #buffer(place: number): ArrivedBuffer {
    const { body, buffers } = this.#encoded
    this.#table ??= readBufferTable(body, buffers, (bytes) => new ByteReader(bytes))
    return this.#again(place, this.#table, 'buffer') as ArrivedBuffer
  }

  #view(): ArrayBufferView {
    const reader = this.#reader
    const kind = reader.u8()
    const { base, buffer } = this.#buffer(reader.varint())
    const offset = reader.varint() - base
    const length = reader.varint()
    if (VIEWS[kind] === undefined) throw new ProtocolError('malformed', 'an unknown kind of view')
    const View = viewConstructor(kind)
    if (View === undefined) throw new SerializationError('not-serializable', `there is no ${VIEWS[kind]} here`)
    const size = View.BYTES_PER_ELEMENT ?? 1
    if (offset < 0 || offset % size !== 0 || length % size !== 0 || offset + length > buffer.byteLength)
      throw new ProtocolError('malformed', 'a view that does not fit its buffer')
    return new View(buffer, offset, length / size)
  }

  #count(): number {
    const count = this.#reader.varint()
    if (count > this.#reader.remaining) throw new ProtocolError('malformed', 'more entries than bytes')
    return count
  }

  #again(place: number, list: readonly unknown[], what: string): unknown {
    if (place >= list.length) throw new ProtocolError('malformed', `no ${what} ${place}`)
    return list[place]
  }

  #remember<T>(value: T): T {
    this.#seen.push(value)
    return value
  }
}

/** Stands in the place of an object whose data is being read. */
const UNMADE = Symbol('unmade')

function newError(className: string, name: string, message: string): Error {
  if (className === 'AggregateError') return new AggregateError([], message)
  const { DOMException } = globalThis as { DOMException?: new (message: string, name: string) => Error }
  if (className === 'DOMException' && DOMException !== undefined) return new DOMException(message, name)
  const Class = ERROR_CLASSES[className] ?? Error
  return new Class(message)
}

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: false, configurable: true })
}

function parseBigInt(text: string): bigint {
  const digits = text.startsWith('-') ? text.slice(1) : text
  if (!/^[0-9a-f]+$/.test(digits)) throw new ProtocolError('malformed', 'not a big integer')
  const value = BigInt(`0x${digits}`)
  return text.startsWith('-') ? -value : value
}
