/**
 * The module that stands in the page for a remote module: handles with the exports' names, and where to fetch the bundle's
 * text when a task first needs it. The user's module never runs in the page.
 */
import type { RemoteBundle } from './bundle-remote-module.ts'
import type { RemoteExport } from './read-manifest.ts'

export interface StubOptions {
  /** Import specifier of a module whose default export is the bundle's text. */
  readonly source: string
  /** Import specifier of a module whose default export is the source map, when it is kept. */
  readonly map?: string
}

export function writeStub(bundle: RemoteBundle, { source, map }: StubOptions): string {
  const used = [...new Set([...bundle.manifest.values()].map(({ kind }) => kind))]
  const imports = [
    ...(used.includes('function') ? ['moduleFunction'] : []),
    ...(used.includes('actor') ? ['moduleActor'] : []),
  ]
  const load = (specifier: string): string => `() => import(${JSON.stringify(specifier)}).then((m) => m.default)`
  const fields = [
    `hash: ${JSON.stringify(bundle.hash)}`,
    `name: ${JSON.stringify(bundle.name)}`,
    `source: ${load(source)}`,
    ...(map === undefined ? [] : [`map: ${load(map)}`]),
  ]
  const lines = [
    ...(imports.length === 0 ? [] : [`import { ${imports.join(', ')} } from '@shoal/sdk/internal'`]),
    `const bundle = { ${fields.join(', ')} }`,
  ]
  // Aliases, because an export may be called `default`, `delete` or `bundle`.
  const names: string[] = []
  for (const [name, entry] of bundle.manifest) {
    lines.push(`const export_${names.length} = ${writeExport(name, entry)}`)
    names.push(`export_${names.length} as ${isIdentifier(name) ? name : JSON.stringify(name)}`)
  }
  lines.push(`export { ${names.join(', ')} }`, '')
  return lines.join('\n')
}

function writeExport(name: string, entry: RemoteExport): string {
  const key = JSON.stringify(name)
  switch (entry.kind) {
    case 'function':
      return `/* @__PURE__ */ moduleFunction(bundle, ${key}, { options: ${entry.options}, generator: ${entry.isGenerator} })`
    case 'actor': {
      const lists = [
        `methods: ${JSON.stringify(entry.methods)}`,
        ...(entry.generators.length === 0 ? [] : [`generators: ${JSON.stringify(entry.generators)}`]),
      ]
      return `/* @__PURE__ */ moduleActor(bundle, ${key}, { options: ${entry.options}, ${lists.join(', ')} })`
    }
    case 'constant':
      return entry.value
  }
}

function isIdentifier(name: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
}
