import { ERROR_CODES, makeError, SerializationError } from '../errors.ts'
import type { ErrorCode, ErrorDetails } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import { ProtocolError } from '../protocol-error.ts'
import { makeBlob } from './blob.ts'
import { besideAt } from './buffer-table.ts'
import type { EncodedValue } from './encoded-value.ts'
import { makeImageData } from './image-data.ts'
import { PlainDecoder } from './plain-decoder.ts'
import type { SerializerRegistry } from './serializer-registry.ts'
import { isStackOverflow } from './stack-overflow.ts'
import { ERROR_CLASSES, TAG } from './tags.ts'

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

class Decoder extends PlainDecoder {
  readonly #refs: readonly unknown[]
  readonly #hooks: DecodeHooks

  constructor(encoded: EncodedValue, refs: readonly unknown[], hooks: DecodeHooks) {
    super(encoded)
    this.#refs = refs
    this.#hooks = hooks
  }

  protected override rare(tag: number): unknown {
    const { reader } = this
    switch (tag) {
      case TAG.ref:
        return this.remember(this.again(reader.varint(), this.#refs, 'reference'))
      case TAG.regexp:
        return this.#regexp()
      case TAG.error:
        return this.#error()
      case TAG.boxed:
        return this.whole(() => Object(this.value()) as unknown)
      case TAG.extension:
        return this.whole(() => {
          const name = reader.string()
          return this.#hooks.extension(name, this.value())
        })
      case TAG.shoalError:
        return this.whole(() => this.#shoalError())
      case TAG.instance:
        return this.#instance()
      case TAG.blob:
        return this.remember(this.#blob())
      case TAG.imageData:
        return this.whole(() => this.#imageData())
      default:
        return super.rare(tag)
    }
  }

  protected override refusal(reason: string): Error {
    return new SerializationError('not-serializable', reason)
  }

  #regexp(): RegExp {
    const source = this.reader.string()
    const flags = this.reader.string()
    try {
      return this.remember(new RegExp(source, flags))
    } catch {
      throw new ProtocolError('malformed', 'not a regular expression')
    }
  }

  #error(): Error {
    const reader = this.reader
    const className = reader.string()
    const registeredName = reader.string()
    const registered = this.#hooks.serializers?.()?.errorClass(registeredName)
    const name = reader.string()
    const error = this.remember(newError(className, name, reader.string()))
    if (registered !== undefined) Object.setPrototypeOf(error, registered.prototype as object)
    if (error.name !== name) hide(error, 'name', name)
    hide(error, 'stack', reader.string())
    const tag = reader.u8()
    if (tag !== TAG.object) throw new ProtocolError('malformed', 'an error without fields')
    const fields = this.fields({}) as Record<string, unknown>
    for (const [key, field] of Object.entries(fields)) {
      if (key === 'cause' || key === 'errors') hide(error, key, field)
      else Object.defineProperty(error, key, { value: field, writable: true, enumerable: true, configurable: true })
    }
    return error
  }

  #shoalError(): Error {
    const reader = this.reader
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
    const name = this.reader.string()
    const hasData = this.reader.u8() === 1
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
      return this.fields(this.remember(Object.create(Class.prototype as object) as object), true)
    return this.whole(() => {
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
    const reader = this.reader
    const isFile = reader.u8() === 1
    const type = reader.string()
    const size = reader.varint()
    const bytes = besideAt(this.encoded.buffers, reader.varint())
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
    const reader = this.reader
    const [width, height, colorSpace] = [reader.varint(), reader.varint(), reader.string()]
    const data = this.value()
    if (!ArrayBuffer.isView(data)) throw new ProtocolError('malformed', 'ImageData without data')
    try {
      return makeImageData(data, width, height, colorSpace)
    } catch (error) {
      throw new SerializationError('not-serializable', `ImageData could not be made here: ${String(error)}`)
    }
  }
}

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
