import type { ByteReader, ByteWriter } from './bytes.ts'
import { ProtocolError } from './protocol-error.ts'

/** Describes one part of a message: how it is written, read and bounded. Types are inferred from it. */
export interface Schema<T> {
  /** Human readable shape; the version test hashes it, so that a change of the wire cannot go unnoticed. */
  readonly shape: string
  write(writer: ByteWriter, value: T): void
  read(reader: ByteReader): T
}

export type Infer<S> = S extends Schema<infer T> ? T : never

export const u8: Schema<number> = {
  shape: 'u8',
  write: (writer, value) => writer.u8(value),
  read: (reader) => reader.u8(),
}

export const varint: Schema<number> = {
  shape: 'varint',
  write: (writer, value) => writer.varint(value),
  read: (reader) => reader.varint(),
}

export const f64: Schema<number> = {
  shape: 'f64',
  write: (writer, value) => writer.f64(value),
  read: (reader) => reader.f64(),
}

export const bool: Schema<boolean> = {
  shape: 'bool',
  write: (writer, value) => writer.u8(value ? 1 : 0),
  read(reader) {
    const byte = reader.u8()
    if (byte > 1) throw new ProtocolError('malformed', 'a boolean is neither 0 nor 1')
    return byte === 1
  },
}

/** UTF-8 text of at most `limit` bytes. */
/* @__NO_SIDE_EFFECTS__ */
export function string(limit: number): Schema<string> {
  return {
    shape: `string(${limit})`,
    write: (writer, value) => writer.string(value),
    read: (reader) => reader.string(limit),
  }
}

/** At most `limit` bytes. Reading gives a copy, so that a small field does not keep its whole message alive. */
/* @__NO_SIDE_EFFECTS__ */
export function bytes(limit: number): Schema<Uint8Array<ArrayBuffer>> {
  return {
    shape: `bytes(${limit})`,
    write: (writer, value) => writer.bytes(value),
    read: (reader) => reader.bytes(limit).slice(),
  }
}

/** Exactly `length` bytes. */
/* @__NO_SIDE_EFFECTS__ */
export function fixedBytes(length: number): Schema<Uint8Array<ArrayBuffer>> {
  return {
    shape: `bytes[${length}]`,
    write(writer, value) {
      if (value.length !== length) throw new RangeError(`expected ${length} bytes, got ${value.length}`)
      writer.raw(value)
    },
    read: (reader) => reader.raw(length).slice(),
  }
}

/* @__NO_SIDE_EFFECTS__ */
export function array<T>(item: Schema<T>, limit: number): Schema<T[]> {
  return {
    shape: `array(${item.shape},${limit})`,
    write(writer, value) {
      writer.varint(value.length)
      for (const entry of value) item.write(writer, entry)
    },
    read(reader) {
      const length = reader.varint()
      if (length > limit) throw new ProtocolError('too-large', `${length} entries where at most ${limit} are allowed`)
      const items: T[] = []
      for (let i = 0; i < length; i++) items.push(item.read(reader))
      return items
    },
  }
}

/* @__NO_SIDE_EFFECTS__ */
export function optional<T>(inner: Schema<T>): Schema<T | undefined> {
  return {
    shape: `optional(${inner.shape})`,
    write(writer, value) {
      writer.u8(value === undefined ? 0 : 1)
      if (value !== undefined) inner.write(writer, value)
    },
    read: (reader) => (bool.read(reader) ? inner.read(reader) : undefined),
  }
}

/** One of a fixed list of words, sent as its place in the list. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf<const Words extends readonly string[]>(words: Words): Schema<Words[number]> {
  return {
    shape: `oneOf(${words.join('|')})`,
    write: (writer, value) => writer.u8(words.indexOf(value)),
    read(reader) {
      const word = words[reader.u8()]
      if (word === undefined) throw new ProtocolError('malformed', `not one of ${words.join(', ')}`)
      return word
    },
  }
}

type Fields = Readonly<Record<string, Schema<never>>>
type Struct<F> = { [K in keyof F]: Infer<F[K]> }

/** A record: its fields in the order written here. */
/* @__NO_SIDE_EFFECTS__ */
export function struct<F extends { [K in keyof F]: Schema<never> | Schema<unknown> }>(fields: F): Schema<Struct<F>> {
  const entries = Object.entries(fields as unknown as Fields) as [string, Schema<unknown>][]
  return {
    shape: `{${entries.map(([name, schema]) => `${name}:${schema.shape}`).join(',')}}`,
    write(writer, value) {
      const record = value as Record<string, unknown>
      for (const [name, schema] of entries) schema.write(writer, record[name])
    },
    read(reader) {
      const record: Record<string, unknown> = {}
      for (const [name, schema] of entries) record[name] = schema.read(reader)
      return record as Struct<F>
    },
  }
}

type Variants<V> = { [K in keyof V]: { readonly type: K } & Infer<V[K]> }[keyof V]

/** A tagged union: `{ type, ...fields }`, the type sent as its place in the list. */
/* @__NO_SIDE_EFFECTS__ */
export function union<V extends { [K in keyof V]: Schema<never> | Schema<unknown> }>(variants: V): Schema<Variants<V>> {
  const names = Object.keys(variants)
  const schemas = Object.values(variants) as Schema<unknown>[]
  const places = new Map(names.map((name, place) => [name, place]))
  return {
    shape: `union(${names.map((name, place) => `${name}=${schemas[place]?.shape}`).join(';')})`,
    write(writer, value) {
      const place = places.get((value as { type: string }).type)
      const schema = place === undefined ? undefined : schemas[place]
      if (place === undefined || schema === undefined) throw new RangeError('unknown message type')
      writer.u8(place)
      schema.write(writer, value)
    },
    read(reader) {
      const place = reader.u8()
      const schema = schemas[place]
      if (schema === undefined) throw new ProtocolError('malformed', `unknown message type ${place}`)
      return Object.assign({ type: names[place] }, schema.read(reader)) as Variants<V>
    },
  }
}
