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
  /** ArrayBuffer or a view on one; the bytes follow. */
  buffer: 15,
  /** The same, the bytes stand beside the body as buffer number n. */
  outOfBand: 16,
  /** An object that was met before: its place in order of first sight. */
  again: 17,
  /** The n-th reference of the value's list. */
  ref: 18,
  /** What a hook replaced: its name, then its payload. */
  extension: 19,
  /** A missing element of an array. */
  hole: 20,
  boxed: 21,
} as const

/** Views in the order of their wire number; 0 is a plain ArrayBuffer. */
export const VIEWS = [
  'ArrayBuffer',
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
] as const
export type ViewName = (typeof VIEWS)[number]

type ViewConstructor = {
  readonly BYTES_PER_ELEMENT?: number
  new (buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView
}

/** The constructor for a wire number, undefined for a plain ArrayBuffer or an unknown number. */
export function viewConstructor(kind: number): ViewConstructor | undefined {
  const constructors: readonly (ViewConstructor | undefined)[] = [
    undefined,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  ]
  return constructors[kind]
}

/** Errors that are made again by name; others become Error with their name kept. */
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
