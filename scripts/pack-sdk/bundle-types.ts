/** The tarball's types: each entry with all that it takes from @shoal packages, rolled up by rollup-plugin-dts. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { pageEntries, readPackage, root, toolEntries } from './entries.ts'

export async function bundleTypes(): Promise<Map<string, string>> {
  const entries = [...pageEntries(), ...toolEntries().filter(({ name }) => name !== 'cli')]
  // Workspace packages lie in node_modules only by links; TypeScript would take them for other people's.
  const own = ownSources()
  const paths = Object.fromEntries([...own].map(([id, file]) => [id, [file]]))
  const build = await rollup({
    input: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
    external: (id) => !id.startsWith('@shoal/') && !id.startsWith('.') && !path.isAbsolute(id),
    plugins: [
      { name: 'pack:own-packages', resolveId: (id) => own.get(id) },
      dts({ tsconfig: path.join(root, 'tsconfig.json'), compilerOptions: { paths } }),
    ],
    onLog: (level, log) => {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message)
      // Types that an entry uses and does not name are no fault: users meet them, and need not write them. Nor is the order
      // in which files of types are loaded.
      const isHarmless = log.code === 'CYCLIC_CROSS_CHUNK_REEXPORT' || log.message.includes('private shared type')
      if (level === 'warn' && !isHarmless) console.warn(log.message)
    },
  })
  try {
    const { output } = await build.generate({
      format: 'es',
      entryFileNames: '[name].d.ts',
      chunkFileNames: 'chunks/[name].d.ts',
    })
    const files = output.flatMap((file): [string, string][] =>
      file.type === 'chunk' ? [[file.fileName, withLibraries(file.code)]] : [],
    )
    files.push(['shoal.d.ts', SINGLE_FILE])
    return new Map(files)
  } finally {
    await build.close()
  }
}

const SINGLE_FILE = `export * from './index.js'\nexport * from './internal.js'\n`

/** For projects whose `lib` is older than `using`. */
function withLibraries(types: string): string {
  return /Symbol\.(?:asyncDispose|dispose)|\b(?:Async)?Disposable\b/.test(types)
    ? `/// <reference lib="esnext.disposable" />\n${types}`
    : types
}

/** The TypeScript behind every `@shoal/x` and `@shoal/x/y`. */
function ownSources(): Map<string, string> {
  const sources = new Map<string, string>()
  for (const folder of readdirSync(path.join(root, 'packages'))) {
    for (const [key, target] of Object.entries(readPackage(`packages/${folder}`).exports)) {
      const file = typeof target === 'string' ? target : target.types
      if (file !== undefined) sources.set(`@shoal/${folder}${key.slice(1)}`, path.join(root, 'packages', folder, file))
    }
  }
  return sources
}
