/** The tarball's types: each entry with all that it takes from @shoal packages, rolled up by rollup-plugin-dts. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { pageEntries, readPackage, root, toolEntries } from './entries.ts'

export async function bundleTypes(): Promise<Map<string, string>> {
  const entries = [...pageEntries(), ...toolEntries().filter(({ name }) => name !== 'cli')]
  const build = await rollup({
    input: Object.fromEntries(entries.map(({ name, source }) => [name, source])),
    external: (id) => !id.startsWith('@shoal/') && !id.startsWith('.') && !path.isAbsolute(id),
    plugins: [
      { name: 'pack:own-packages', resolveId: ownPackage },
      dts({ tsconfig: path.join(root, 'tsconfig.json') }),
    ],
    onLog: (level, log) => {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message)
      // Types that an entry uses and does not name are no fault: users meet them, and need not write them.
      if (level === 'warn' && !log.message.includes('private shared type')) console.warn(log.message)
    },
  })
  try {
    const { output } = await build.generate({
      format: 'es',
      entryFileNames: '[name].d.ts',
      chunkFileNames: 'chunks/[name].d.ts',
    })
    const files = output.flatMap((file): [string, string][] =>
      file.type === 'chunk' ? [[file.fileName, file.code]] : [],
    )
    files.push(['shoal.d.ts', SINGLE_FILE])
    return new Map(files)
  } finally {
    await build.close()
  }
}

const SINGLE_FILE = `export * from './index.js'\nexport * from './internal.js'\n`

/** Packages of the workspace lie in node_modules only by a link; TypeScript would take them for other people's. */
function ownPackage(id: string): string | undefined {
  const [, name, entry = ''] = /^@shoal\/([^/]+)(?:\/(.+))?$/.exec(id) ?? []
  if (name === undefined) return undefined
  const folder = `packages/${name}`
  const target = readPackage(folder).exports[entry === '' ? '.' : `./${entry}`]
  const file = typeof target === 'string' ? target : target?.types
  if (file === undefined || !existsSync(path.join(root, folder, file))) throw new Error(`no types for ${id}`)
  return path.join(root, folder, file)
}
