/**
 * A remote module for pages without a bundler: one JavaScript file that a `<script type="module">` imports, with the
 * bundle's text inside, and its types. Knows rolldown, Node and, where the project has it, TypeScript.
 */
import path from 'node:path'
import { bundleRemoteModule, nameIn } from './bundle-remote-module.ts'
import { emitTypes } from './emit-types.ts'
import { RemoteModuleError } from './remote-module-error.ts'
import { PAGE_MODULE, REMOTE_FILE } from './remote-modules.ts'
import { writeStub } from './write-stub.ts'

export interface EmitOptions {
  /** Path of the *.remote.ts file, absolute or relative to `root`. */
  readonly entry: string
  readonly root: string
  /** Where the files go. Default: the entry's folder. */
  readonly outDir?: string
  /** What the file imports the SDK as. Default `@shoal/sdk/internal`, which the page's import map resolves. */
  readonly sdk?: string
  /** Default true. */
  readonly minify?: boolean
  /** Writes the source map too, into a file that is loaded with the first error. Default false. */
  readonly sourcemap?: boolean
  /** Default true: types are written when the project has TypeScript. */
  readonly types?: boolean
}

export interface EmittedModule {
  /** Texts by absolute path. */
  readonly files: ReadonlyMap<string, string>
  /** Something that the caller should be told, such as why there are no types. */
  readonly notes: readonly string[]
}

/**
 * Makes the files; writing them is the caller's.
 *
 * @throws RemoteModuleError as bundleRemoteModule does, and when a file would be written over the module itself.
 * @example
 * const { files } = await emitPageModule({ entry: 'src/fib.remote.ts', root: process.cwd(), outDir: 'public' })
 */
export async function emitPageModule(options: EmitOptions): Promise<EmittedModule> {
  const { minify = true, sourcemap = false, types = true } = options
  const root = path.resolve(options.root)
  const entry = path.resolve(root, options.entry)
  const name = nameIn(root, entry)
  if (!REMOTE_FILE.test(entry))
    throw new RemoteModuleError(name, 'a remote module is called *.remote.ts or *.remote.js')
  const outDir = options.outDir === undefined ? path.dirname(entry) : path.resolve(root, options.outDir)
  const stem = path.join(outDir, path.basename(entry).replace(/\.[^.]+$/, ''))
  if (`${stem}.js` === entry)
    throw new RemoteModuleError(name, 'its page module would be written over it; name another folder with --outdir')
  const bundle = await bundleRemoteModule({ entry, root, minify, isProduction: true })
  const files = new Map<string, string>()
  // The query: a static server's cache may hold the map of the version before.
  const map = `./${path.basename(stem)}.map.js?${bundle.hash.slice(0, 12)}`
  const stub = writeStub(bundle, {
    source: { text: bundle.code },
    ...(sourcemap && { map }),
    ...(options.sdk !== undefined && { sdk: options.sdk }),
  })
  files.set(`${stem}.js`, `${PAGE_MODULE}\n${stub}`)
  if (sourcemap) files.set(`${stem}.map.js`, `export default ${JSON.stringify(bundle.map)}\n`)
  if (!types) return { files, notes: [] }
  const declared = await emitTypes(entry, stem)
  for (const [file, text] of declared.files) files.set(file, text)
  return { files, notes: declared.note === undefined ? [] : [`${name}: ${declared.note}`] }
}
