import { ByteReader } from '../bytes.ts'
import type { ObjectId } from '../ids.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { EncodedValue } from './encoded-value.ts'
import { isStackOverflow } from './stack-overflow.ts'
import { ERROR_CLASSES, TAG, viewConstructor } from './tags.ts'

export interface DecodeHooks {
  /** The ref for an id of the value's list; called once for each occurrence. */
  ref(id: ObjectId): unknown
  extension(name: string, payload: unknown): unknown
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
 * Makes a value again. It takes ownership of the encoded value: large typed arrays are views on its buffers where
 * alignment allows. Damaged input is a ProtocolError. Every reference of the list is handed to the hook exactly once,
 * also when decoding fails, so that counts stay right.
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
      case TAG.again:
        return this.#again(reader.varint(), this.#seen, 'object')
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
        return this.#remember(this.#view(reader.u8(), reader.bytes()))
      case TAG.outOfBand: {
        const kind = reader.u8()
        const bytes = this.#again(reader.varint(), this.#encoded.buffers, 'buffer')
        return this.#remember(this.#view(kind, bytes as Uint8Array<ArrayBuffer>))
      }
      case TAG.boxed: {
        const place = this.#seen.push(undefined) - 1
        return (this.#seen[place] = Object(this.value()))
      }
      case TAG.extension: {
        const place = this.#seen.push(undefined) - 1
        const name = reader.string()
        return (this.#seen[place] = this.#hooks.extension(name, this.value()))
      }
      default:
        throw new ProtocolError('malformed', `a value of unknown kind ${tag}`)
    }
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

  #fields<T extends object>(target: T): T {
    for (let left = this.#count(); left > 0; left--) {
      const key = this.#reader.string()
      const value = this.value()
      // A peer may send any key: defining this one keeps it an ordinary property.
      if (key === '__proto__')
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
    const name = this.#reader.string()
    const message = this.#reader.string()
    const stack = this.#reader.string()
    const Class = ERROR_CLASSES[name] ?? Error
    const error = this.#remember(new Class(message))
    if (error.name !== name) hide(error, 'name', name)
    hide(error, 'stack', stack)
    const tag = this.#reader.u8()
    if (tag !== TAG.object) throw new ProtocolError('malformed', 'an error without fields')
    const fields = this.#fields({}) as Record<string, unknown>
    for (const [key, field] of Object.entries(fields)) {
      if (key === 'cause' || key === 'errors') hide(error, key, field)
      else Object.defineProperty(error, key, { value: field, writable: true, enumerable: true, configurable: true })
    }
    return error
  }

  #view(kind: number, bytes: Uint8Array<ArrayBuffer>): unknown {
    const View = viewConstructor(kind)
    if (View === undefined) {
      if (kind !== 0) throw new ProtocolError('malformed', 'an unknown kind of buffer')
      return bytes.slice().buffer
    }
    const size = View.BYTES_PER_ELEMENT ?? 1
    if (bytes.length % size !== 0) throw new ProtocolError('malformed', 'a buffer of a broken length')
    const isInPlace = this.#encoded.buffers.includes(bytes) && bytes.byteOffset % size === 0
    const own = isInPlace ? bytes : bytes.slice()
    return new View(own.buffer, own.byteOffset, own.length / size)
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

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: false, configurable: true })
}

function parseBigInt(text: string): bigint {
  const digits = text.startsWith('-') ? text.slice(1) : text
  if (!/^[0-9a-f]+$/.test(digits)) throw new ProtocolError('malformed', 'not a big integer')
  const value = BigInt(`0x${digits}`)
  return text.startsWith('-') ? -value : value
}
