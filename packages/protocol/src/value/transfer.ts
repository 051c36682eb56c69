import { mark } from './transfer-marks.ts'

/**
 * Says that a value's buffers may be moved instead of copied when it is sent next: as an argument, with `put`, or as a
 * task's result. Afterwards they are detached here: typed arrays on them have length 0. What arrives is the same as
 * without. A buffer that others look at too is taken from all of them; one of a WebAssembly.Memory cannot be moved.
 *
 * @param value a typed array, a DataView, an ArrayBuffer, or an object that holds some, at any depth
 * @returns the same value
 * @throws TypeError for a primitive value
 * @example
 * const pixels = new Float32Array(1_000_000)
 * const ref = put(transfer(pixels)) // no copy; pixels.length is 0 now
 */
export function transfer<T>(value: T): T {
  if (typeof value !== 'object' || value === null)
    throw new TypeError('transfer() takes a buffer, a typed array or an object that holds some')
  mark(value)
  return value
}
