/** ImageData as far as it is needed here: this package knows no DOM. */
export interface ImageDataLike {
  readonly width: number
  readonly height: number
  readonly colorSpace: string
  readonly data: ArrayBufferView
}

interface Platform {
  readonly ImageData?: new (
    data: ArrayBufferView,
    width: number,
    height: number,
    settings: { colorSpace: string; pixelFormat?: string },
  ) => ImageDataLike
}

const platform = globalThis as unknown as Platform

export function isImageData(value: unknown): value is ImageDataLike {
  return typeof platform.ImageData === 'function' && value instanceof platform.ImageData
}

/** ImageData over the same bytes; where the platform has none, as in Node, a plain object with the same fields. */
export function makeImageData(data: ArrayBufferView, width: number, height: number, colorSpace: string): ImageDataLike {
  const { ImageData } = platform
  if (ImageData === undefined) return { data, width, height, colorSpace }
  const isFloat = Object.prototype.toString.call(data) === '[object Float16Array]'
  return new ImageData(data, width, height, { colorSpace, ...(isFloat && { pixelFormat: 'rgba-float16' }) })
}
