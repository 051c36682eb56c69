import { bundleInlineScript } from '@shoal/vite-plugin'
import type { Plugin } from 'rolldown'

const QUERY = '?shoal-inline'

/** The rolldown side of `?shoal-inline`, minified: users' bundlers cannot shorten a text. Tells which files went in. */
export function inlineScripts(onFiles: (files: readonly string[]) => void): Plugin {
  return {
    name: 'pack:inline-script',
    async resolveId(source, importer) {
      if (!source.endsWith(QUERY)) return undefined
      const found = await this.resolve(source.slice(0, -QUERY.length), importer)
      return found && found.id + QUERY
    },
    async load(id) {
      if (!id.endsWith(QUERY)) return undefined
      const { code, watchFiles } = await bundleInlineScript({
        entry: id.slice(0, -QUERY.length),
        isProduction: true,
        minify: true,
      })
      onFiles(watchFiles)
      return { code: `export default ${JSON.stringify(code)}`, moduleType: 'js' }
    },
  }
}
