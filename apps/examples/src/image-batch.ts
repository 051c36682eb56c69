// An image batch: each picture goes through one task that takes its pixels and gives new ones.
import { get, remote, wait } from '@shoal/sdk'
import type { ObjectRef } from '@shoal/sdk'

/** Plain pixels, four bytes each (red, green, blue, alpha), row by row, as a canvas has them. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8ClampedArray
}

/** Turns a picture grey and softens it: each pixel becomes the mean of those up to `radius` away. */
const soften = remote(({ width, height, pixels }: Picture, radius: number): Picture => {
  const grey = new Float32Array(width * height)
  for (let i = 0; i < grey.length; i++)
    // How bright the eye takes each colour to be (ITU-R BT.601).
    grey[i] = 0.299 * (pixels[4 * i] ?? 0) + 0.587 * (pixels[4 * i + 1] ?? 0) + 0.114 * (pixels[4 * i + 2] ?? 0)
  // A box blur of rows and then of columns is the same as one of squares, with far fewer steps.
  const blur = (from: Float32Array, length: number, lines: number, step: number, lineStep: number): Float32Array => {
    const to = new Float32Array(from.length)
    for (let line = 0; line < lines; line++) {
      let sum = 0
      let count = 0
      for (let at = -radius; at < length; at++) {
        const entering = at + radius
        const leaving = at - radius - 1
        if (entering < length) {
          sum += from[line * lineStep + entering * step] ?? 0
          count++
        }
        if (leaving >= 0) {
          sum -= from[line * lineStep + leaving * step] ?? 0
          count--
        }
        if (at >= 0) to[line * lineStep + at * step] = sum / count
      }
    }
    return to
  }
  const rows = blur(grey, width, height, 1, width)
  const soft = blur(rows, height, width, width, 1)
  const result = new Uint8ClampedArray(pixels.length)
  soft.forEach((value, i) => result.set([value, value, value, pixels[4 * i + 3] ?? 255], 4 * i))
  return { width, height, pixels: result }
})

/** Processes all pictures and calls back with each as soon as it is done. */
export async function processPictures(
  pictures: readonly Picture[],
  radius: number,
  onPicture: (index: number, picture: Picture) => void,
): Promise<void> {
  const places = new Map<ObjectRef<Picture>, number>()
  // Large arguments are copied once, here; other tabs pull them when they start the task.
  pictures.forEach((picture, index) => places.set(soften.remote(picture, radius), index))
  while (places.size > 0) {
    const [ready] = await wait([...places.keys()])
    for (const ref of ready) {
      const index = places.get(ref) ?? 0
      places.delete(ref)
      onPicture(index, await get(ref))
      ref.release()
    }
  }
}
