/**
 * Orthogonal start weights (Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
 * linear neural networks", 2014), which PPO's usual recipe has.
 */
import { parameterCount } from '../mlp.ts'
import type { Xoshiro128 } from '../random/xoshiro128.ts'

/**
 * Start parameters for layers of `sizes`: rows (or, where there are more of them than columns, columns) of each weight matrix
 * orthogonal and of length `scales[layer]`, biases zero. One scale a layer, the input not counted.
 */
export function orthogonalParameters(
  sizes: readonly number[],
  scales: readonly number[],
  random: Xoshiro128,
): Float32Array {
  if (scales.length !== sizes.length - 1) throw new RangeError(`${sizes.length - 1} layers need as many scales`)
  const parameters = new Float32Array(parameterCount(sizes))
  let at = 0
  for (let layer = 1; layer < sizes.length; layer += 1) {
    const columns = sizes[layer - 1]!
    const rows = sizes[layer]!
    const isWide = rows <= columns
    const vectors = orthonormal(Math.min(rows, columns), Math.max(rows, columns), random)
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const value = isWide ? vectors[row]![column]! : vectors[column]![row]!
        parameters[at + row * columns + column] = scales[layer - 1]! * value
      }
    }
    at += (columns + 1) * rows
  }
  return parameters
}

/** `count` orthogonal unit vectors of `size` numbers, by Gram and Schmidt, each projection taken off twice for accuracy. */
function orthonormal(count: number, size: number, random: Xoshiro128): Float64Array[] {
  const vectors: Float64Array[] = []
  while (vectors.length < count) {
    const vector = Float64Array.from({ length: size }, () => random.nextNormal())
    for (const other of [...vectors, ...vectors]) {
      const along = dot(vector, other)
      for (let i = 0; i < size; i += 1) vector[i]! -= along * other[i]!
    }
    const length = Math.sqrt(dot(vector, vector))
    // All but impossible; what is left would be rounding.
    if (length < 1e-8) continue
    vectors.push(vector.map((x) => x / length))
  }
  return vectors
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!
  return sum
}
