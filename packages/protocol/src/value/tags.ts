// One byte in front of every encoded value. The list only grows at its end: it is part of the wire.
export const TAG = {
  undefined: 0,
  null: 1,
  true: 2,
  false: 3,
  /** Zigzag varint, for integers within 2^31. */
  integer: 4,
  number: 5,
  bigint: 6,
  string: 7,
  array: 8,
  object: 9,
  date: 10,
  regexp: 11,
  map: 12,
  set: 13,
  error: 14,
  /** The n-th ArrayBuffer of the table behind the value. */
  buffer: 15,
  /** Its kind, the number of its buffer, offset in the original and length in bytes. */
  view: 16,
  /** An object that was met before: its place in order of first sight. */
  again: 17,
  /** The n-th reference of the value's list. */
  ref: 18,
  /** What a hook replaced: its name, then its payload. */
  extension: 19,
  /** A missing element of an array. */
  hole: 20,
  boxed: 21,
  /** A text that is no valid Unicode: its UTF-16 units, little endian. */
  units: 22,
  /** One of Shoal's own errors: code, message, stack, then details and cause. */
  shoalError: 23,
  /** Of a registered class: its name, 0 and its fields or 1 and what its serializer gave. */
  instance: 24,
  /** 1 for a File, type, size, number of its bytes beside the body; a File's name and time. */
  blob: 25,
  /** Width, height, colour space, then its data. */
  imageData: 26,
} as const

/** Views in the order of their wire number. */
export const VIEWS = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array',
] as const
export type ViewName = (typeof VIEWS)[number]

type ViewConstructor = {
  readonly BYTES_PER_ELEMENT?: number
  new (buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView
}

/** The constructor for a wire number, undefined for one that is unknown or not in this browser. */
export function viewConstructor(kind: number): ViewConstructor | undefined {
  const name = VIEWS[kind]
  return name && (globalThis as unknown as Record<ViewName, ViewConstructor | undefined>)[name]
}

/** Errors that are made again by name; others become the nearest of these that they extend, with their name kept. */
export const ERROR_CLASSES: Readonly<Record<string, new (message?: string) => Error>> = {
  __proto__: null as never,
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}
