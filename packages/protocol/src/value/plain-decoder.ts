import { ByteReader } from '../bytes.ts'
import { ProtocolError } from '../protocol-error.ts'
import { readBufferTable } from './buffer-table.ts'
import type { ArrivedBuffer } from './buffer-table.ts'
import type { EncodedValue } from './encoded-value.ts'
import { TAG, viewConstructor, VIEWS } from './tags.ts'

/**
 * Makes the kinds of value again that PlainEncoder writes; `decodeValue` is built upon it. Alone it is for threads that can
 * send for that one: it throws for every other kind.
 */
export class PlainDecoder {
  protected readonly reader: ByteReader
  protected readonly encoded: EncodedValue
  readonly #seen: unknown[] = []
  #table: readonly ArrivedBuffer[] | undefined

  constructor(encoded: EncodedValue) {
    this.reader = new ByteReader(encoded.body)
    this.encoded = encoded
  }

  value(): unknown {
    return this.#tagged(this.reader.u8())
  }

  #tagged(tag: number): unknown {
    const reader = this.reader
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
        const met = this.again(reader.varint(), this.#seen, 'object')
        if (met === UNMADE) throw new ProtocolError('malformed', 'an object within the data that it is made from')
        return met
      }
      default:
        return this.#object(tag)
    }
  }

  #object(tag: number): unknown {
    const reader = this.reader
    switch (tag) {
      case TAG.array:
        return this.#array()
      case TAG.object:
        return this.fields(this.remember({}))
      case TAG.map: {
        const map = this.remember(new Map<unknown, unknown>())
        for (let left = this.count(); left > 0; left--) {
          const key = this.value()
          map.set(key, this.value())
        }
        return map
      }
      case TAG.set: {
        const set = this.remember(new Set<unknown>())
        for (let left = this.count(); left > 0; left--) set.add(this.value())
        return set
      }
      case TAG.date:
        return this.remember(new Date(reader.f64()))
      case TAG.buffer:
        return this.remember(this.#buffer(reader.varint()).buffer)
      case TAG.view:
        return this.remember(this.#view())
      default:
        return this.rare(tag)
    }
  }

  /** All other kinds. */
  protected rare(tag: number): unknown {
    throw new ProtocolError('malformed', `a value of unknown kind ${tag}`)
  }

  /** What is thrown for a value that this engine cannot make. */
  protected refusal(reason: string): Error {
    return new Error(reason)
  }

  /** What can be made only once all of its data is there; its place comes before theirs. */
  protected whole(make: () => unknown): unknown {
    const place = this.#seen.push(UNMADE) - 1
    return (this.#seen[place] = make())
  }

  #units(): string {
    const length = this.reader.varint()
    if (length * 2 > this.reader.remaining) throw new ProtocolError('malformed', 'a text longer than its bytes')
    const bytes = this.reader.raw(length * 2)
    let text = ''
    for (let i = 0; i < bytes.length; i += 2) text += String.fromCharCode((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8))
    return text
  }

  #array(): unknown[] {
    const length = this.reader.varint()
    if (length > this.reader.remaining) throw new ProtocolError('malformed', 'an array longer than its bytes')
    // Grown as it is read: arrays within arrays could each claim all bytes that are left.
    const items = this.remember<unknown[]>([])
    for (let i = 0; i < length; i++) {
      const tag = this.reader.u8()
      if (tag === TAG.hole) items.length = i + 1
      else items.push(this.#tagged(tag))
    }
    return items
  }

  protected fields<T extends object>(target: T, hasSetters = false): T {
    for (let left = this.count(); left > 0; left--) {
      const key = this.reader.string()
      const value = this.value()
      // A peer may send any key: defining this one keeps it an ordinary property.
      if (hasSetters || key === '__proto__')
        Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
      else (target as Record<string, unknown>)[key] = value
    }
    return target
  }

  #buffer(place: number): ArrivedBuffer {
    const { body, buffers } = this.encoded
    this.#table ??= readBufferTable(body, buffers, (bytes) => new ByteReader(bytes))
    return this.again(place, this.#table, 'buffer') as ArrivedBuffer
  }

  #view(): ArrayBufferView {
    const reader = this.reader
    const kind = reader.u8()
    const { base, buffer } = this.#buffer(reader.varint())
    const offset = reader.varint() - base
    const length = reader.varint()
    if (VIEWS[kind] === undefined) throw new ProtocolError('malformed', 'an unknown kind of view')
    const View = viewConstructor(kind)
    if (View === undefined) throw this.refusal(`there is no ${VIEWS[kind]} here`)
    const size = View.BYTES_PER_ELEMENT ?? 1
    if (offset < 0 || offset % size !== 0 || length % size !== 0 || offset + length > buffer.byteLength)
      throw new ProtocolError('malformed', 'a view that does not fit its buffer')
    return new View(buffer, offset, length / size)
  }

  protected count(): number {
    const count = this.reader.varint()
    if (count > this.reader.remaining) throw new ProtocolError('malformed', 'more entries than bytes')
    return count
  }

  protected again(place: number, list: readonly unknown[], what: string): unknown {
    if (place >= list.length) throw new ProtocolError('malformed', `no ${what} ${place}`)
    return list[place]
  }

  protected remember<T>(value: T): T {
    this.#seen.push(value)
    return value
  }
}

/** Stands in the place of an object whose data is being read. */
const UNMADE = Symbol('unmade')

function parseBigInt(text: string): bigint {
  const digits = text.startsWith('-') ? text.slice(1) : text
  if (!/^[0-9a-f]+$/.test(digits)) throw new ProtocolError('malformed', 'not a big integer')
  const value = BigInt(`0x${digits}`)
  return text.startsWith('-') ? -value : value
}
