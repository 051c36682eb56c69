/** A Blob or File as far as it is needed here: this package knows no DOM. */
export interface BlobLike {
  readonly size: number
  readonly type: string
  arrayBuffer(): Promise<ArrayBuffer>
}

interface FileLike extends BlobLike {
  readonly name: string
  readonly lastModified: number
}

interface Platform {
  readonly Blob?: new (parts: Uint8Array[], options: { type: string }) => BlobLike
  readonly File?: new (parts: Uint8Array[], name: string, options: { type: string; lastModified: number }) => FileLike
}

const platform = globalThis as unknown as Platform

export function isBlob(value: unknown): value is BlobLike {
  return typeof platform.Blob === 'function' && value instanceof platform.Blob
}

export function isFile(value: BlobLike): value is FileLike {
  return typeof platform.File === 'function' && value instanceof platform.File
}

/** A Blob, or with a name a File, that holds a copy of the bytes; undefined where the platform has none. */
export function makeBlob(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
  file: { readonly name: string; readonly lastModified: number } | undefined,
): BlobLike | undefined {
  const { Blob, File } = platform
  if (file !== undefined && File !== undefined)
    return new File([bytes], file.name, { type, lastModified: file.lastModified })
  return Blob && new Blob([bytes], { type })
}

/**
 * The bytes of a Blob. One that cannot be read any more, such as a file that changed on disk, gives the reason as text
 * of another length than its size, by which the decoder knows it.
 */
export async function readBlob(blob: BlobLike): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = blob
  try {
    const bytes = new Uint8Array(await blob.arrayBuffer())
    if (bytes.length === size) return bytes
    return unreadable(`${bytes.length} bytes came instead of ${size}`, size)
  } catch (error) {
    return unreadable(String(error).slice(0, 500), size)
  }
}

function unreadable(reason: string, size: number): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(reason)
  return text.length === size ? new TextEncoder().encode(`${reason} `) : text
}
