// Tasks that are given, and give back, what only a browser has, and instances of registered classes.
import { context, get, remote, transfer } from '@shoal/sdk'
import { OutOfRange, Vector } from './geometry.ts'

export const sum = remote((vectors: Vector[]): { nodeId: string; sum: Vector } => ({
  nodeId: context().nodeId,
  sum: vectors.reduce((total, vector) => total.plus(vector), new Vector(0, 0)),
}))

const fails = remote((limit: number): number => {
  throw new OutOfRange(limit)
})

/** Throws in a child's child. */
export const failsDeep = remote(async (limit: number): Promise<number> => get(fails.remote(limit)))

export const shout = remote(async (file: File): Promise<File> => {
  const text = (await file.text()).toUpperCase()
  return new File([text], `${file.name}.loud`, { type: file.type, lastModified: file.lastModified })
})

export const invert = remote((image: ImageData): ImageData => {
  for (let i = 0; i < image.data.length; i++) if (i % 4 !== 3) image.data[i] = 255 - (image.data[i] ?? 0)
  return image
})

/** Gives its argument back without a copy, and says that it is gone here. */
export const passOn = remote((bytes: Float32Array): Float32Array => transfer(bytes))
