/**
 * The module that stands in the page for a remote module: handles with the exports' names, and where to fetch the bundle's
 * text when a task first needs it. The user's module never runs in the page.
 */
import { createHash } from 'node:crypto'
import type { RemoteBundle } from './bundle-remote-module.ts'
import type { Arity } from '@shoal/core-worker'
import type { RemoteExport } from './read-manifest.ts'

export interface StubOptions {
  /** Import specifier of a module whose default export is the bundle's text, or the text itself. */
  readonly source: string | { readonly text: string }
  /** Import specifier of a module whose default export is the source map, when it is kept. */
  readonly map?: string
  /** Import specifier of the SDK's part for stubs. Default: `@shoal/sdk/internal`. */
  readonly sdk?: string
  /**
   * For Vite's dev server: handles that the page holds already run the edited module from then on, without a reload. When
   * what is exported has changed, their importers are told instead.
   */
  readonly isHot?: boolean
}

export function writeStub(bundle: RemoteBundle, options: StubOptions): string {
  const { source, map, sdk = '@shoal/sdk/internal', isHot = false } = options
  const used = [...new Set([...bundle.manifest.values()].map(({ kind }) => kind))]
  const imports = [
    ...(used.includes('function') ? ['moduleFunction'] : []),
    ...(used.includes('actor') ? ['moduleActor'] : []),
    ...(isHot ? ['replaceBundle'] : []),
  ]
  const load = (specifier: string): string => `() => import(${JSON.stringify(specifier)}).then((m) => m.default)`
  const fields = [
    `hash: ${JSON.stringify(bundle.hash)}`,
    `name: ${JSON.stringify(bundle.name)}`,
    `source: ${typeof source === 'string' ? load(source) : `() => Promise.resolve(${JSON.stringify(source.text)})`}`,
    ...(map === undefined ? [] : [`map: ${load(map)}`]),
    ...(isHot ? [`shape: ${JSON.stringify(shapeOf(bundle))}`] : []),
  ]
  const lines = [
    ...(imports.length === 0 ? [] : [`import { ${imports.join(', ')} } from ${JSON.stringify(sdk)}`]),
    `const bundle = { ${fields.join(', ')} }`,
  ]
  // Aliases, because an export may be called `default`, `delete` or `bundle`.
  const names: string[] = []
  for (const [name, entry] of bundle.manifest) {
    lines.push(`const export_${names.length} = ${writeExport(name, entry)}`)
    names.push(`export_${names.length} as ${isIdentifier(name) ? name : JSON.stringify(name)}`)
  }
  lines.push(`export { ${names.join(', ')} }`, ...(isHot ? [HOT] : []), '')
  return lines.join('\n')
}

// Vite looks for the text `import.meta.hot.accept(`.
const HOT = `if (import.meta.hot) {
  const { data } = import.meta.hot
  data.isReplaced = replaceBundle(data.bundle, bundle)
  data.bundle = bundle
  import.meta.hot.accept(() => {
    if (!data.isReplaced) import.meta.hot.invalidate('what it exports has changed')
  })
}`

/** Equal for two versions of a module whose stubs differ in nothing but the code behind them. */
function shapeOf({ manifest }: RemoteBundle): string {
  const text = [...manifest].map(([name, entry]) => `${JSON.stringify(name)} ${writeExport(name, entry)}`).join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function writeExport(name: string, entry: RemoteExport): string {
  const key = JSON.stringify(name)
  switch (entry.kind) {
    case 'function':
      return (
        `/* @__PURE__ */ moduleFunction(bundle, ${key}, ` +
        `{ options: ${entry.options}, generator: ${entry.isGenerator}, arity: ${writeArity(entry.arity)} })`
      )
    case 'actor': {
      const lists = [
        `methods: ${JSON.stringify(entry.methods)}`,
        `arity: ${writeArity(entry.arity)}`,
        `arities: [${entry.arities.map(writeArity).join(', ')}]`,
        ...(entry.generators.length === 0 ? [] : [`generators: ${JSON.stringify(entry.generators)}`]),
      ]
      return `/* @__PURE__ */ moduleActor(bundle, ${key}, { options: ${entry.options}, ${lists.join(', ')} })`
    }
    case 'constant':
      return entry.value
  }
}

/** Infinity is no JSON. */
function writeArity([min, max]: Arity): string {
  return `[${min}, ${max}]`
}

function isIdentifier(name: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
}
