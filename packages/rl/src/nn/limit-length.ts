/** Scales a gradient that is longer than `most` down to that length, in place. */
export function limitLength(gradient: Float64Array, most: number): void {
  let sum = 0
  for (let i = 0; i < gradient.length; i += 1) sum += gradient[i]! * gradient[i]!
  const length = Math.sqrt(sum)
  if (length <= most) return
  for (let i = 0; i < gradient.length; i += 1) gradient[i]! *= most / length
}
