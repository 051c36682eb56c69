/** The side of the tarball that runs in Node: plugins for bundlers, and the command. Only @shoal packages are inside. */
import { rolldown } from 'rolldown'
import { toolEntries } from './entries.ts'
import type { Packed } from './bundle-page.ts'

export async function bundleTools(): Promise<Packed & { readonly imports: ReadonlySet<string> }> {
  const files = new Map<string, string>()
  const modules = new Set<string>()
  const imports = new Set<string>()
  const build = await rolldown({
    input: Object.fromEntries(toolEntries().map(({ name, source }) => [name, source])),
    platform: 'node',
    external: isOthers,
    transform: { target: 'node20' },
    checks: { pluginTimings: false },
    onLog: (level, log, forward) => {
      if (level === 'warn') throw new Error(log.message)
      forward(level, log)
    },
  })
  try {
    const { output } = await build.generate({
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/tools-[name].js',
    })
    for (const file of output) {
      if (file.type !== 'chunk') continue
      files.set(file.fileName, file.code)
      for (const id of Object.keys(file.modules)) modules.add(id)
      for (const id of [...file.imports, ...file.dynamicImports]) if (isOthers(id)) imports.add(packageOf(id))
    }
  } finally {
    await build.close()
  }
  imports.delete('node')
  return { files, modules, imports }
}

/** npm installs those: rolldown is native code, and whoever has Vite 8 has it already. */
function isOthers(id: string): boolean {
  return !id.startsWith('@shoal/') && !/^(?:[./\\]|[A-Za-z]:|\0|chunks\/)/.test(id)
}

function packageOf(id: string): string {
  if (id.startsWith('node:')) return 'node'
  return id
    .split('/')
    .slice(0, id.startsWith('@') ? 2 : 1)
    .join('/')
}
