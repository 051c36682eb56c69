/**
 * What a bundler plugin knows of remote modules: their bundles, kept as long as none of their files changed (size and
 * time of change), so that a stub and its text are of one version. Older versions are kept too: a page of a dev server
 * that submitted a task a moment before a file was saved asks for the text of the version that it has.
 */
import { readFile, stat } from 'node:fs/promises'
import { bundleRemoteModule, type BundleOptions, type RemoteBundle } from './bundle-remote-module.ts'
import { RemoteModuleError } from './remote-module-error.ts'

export const REMOTE_FILE = /\.remote\.(?:[cm]?[jt]s|[jt]sx)$/

/** The first line of what `shoal bundle` writes: called like a remote module, it is the stub of one. */
export const PAGE_MODULE = '// Made by `shoal bundle`: a stub, with the text that tasks run inside.'

/** Whether a file that is called like a remote module is one. */
export async function isRemoteModule(file: string): Promise<boolean> {
  if (!REMOTE_FILE.test(file)) return false
  if (!file.endsWith('.js')) return true
  const text = await readFile(file, 'utf8').catch(() => '')
  return !text.startsWith(PAGE_MODULE)
}

/** Versions of all modules together that are still given out. */
const MOST_VERSIONS = 200

interface Kept {
  readonly bundle: RemoteBundle
  readonly signature: string
}

export class RemoteModules {
  readonly #optionsFor: (entry: string) => BundleOptions
  readonly #kept = new Map<string, Promise<Kept>>()
  readonly #versions = new Map<string, RemoteBundle>()
  readonly #failed = new Map<string, readonly string[]>()

  constructor(optionsFor: (entry: string) => BundleOptions) {
    this.#optionsFor = optionsFor
  }

  /** The bundle of a file as it is now. @throws RemoteModuleError */
  async bundle(file: string): Promise<RemoteBundle> {
    try {
      const bundle = await this.#current(file)
      this.#failed.delete(file)
      return bundle
    } catch (error) {
      if (error instanceof RemoteModuleError) this.#failed.set(file, error.watchFiles)
      throw error
    }
  }

  /** A bundle that was made here before, by its hash. */
  version(hash: string): RemoteBundle | undefined {
    return this.#versions.get(hash)
  }

  /** Whether a bundle of the file was ever asked for. */
  isKnown(file: string): boolean {
    return this.#kept.has(file)
  }

  /** Files that could not be bundled, with the files whose change may repair them. */
  get failed(): ReadonlyMap<string, readonly string[]> {
    return this.#failed
  }

  async #current(file: string): Promise<RemoteBundle> {
    const before = await this.#kept.get(file)?.catch(() => undefined)
    if (before && before.signature === (await signatureOf(before.bundle.watchFiles))) return before.bundle
    const next = this.#make(file)
    this.#kept.set(file, next)
    const { bundle } = await next
    this.#versions.set(bundle.hash, bundle)
    const [oldest] = this.#versions.keys()
    if (this.#versions.size > MOST_VERSIONS && oldest !== undefined) this.#versions.delete(oldest)
    return bundle
  }

  async #make(file: string): Promise<Kept> {
    const bundle = await bundleRemoteModule(this.#optionsFor(file))
    return { bundle, signature: await signatureOf(bundle.watchFiles) }
  }
}

async function signatureOf(files: readonly string[]): Promise<string> {
  const marks = files.map(async (file) => {
    // A file that was deleted changes the signature, and the next bundle says what is missing.
    const found = await stat(file).catch(() => undefined)
    return found ? `${file}:${found.size}:${found.mtimeMs}` : `${file}:gone`
  })
  return (await Promise.all(marks)).join('\n')
}
