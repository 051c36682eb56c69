import type { Code } from '@shoal/core-worker'

/** What a bundler plugin makes of a `*.remote.ts`: its text, fetched when it is first used. */
export interface ModuleBundle {
  /** 64 hex digits, different for every text. */
  readonly hash: string
  /** The file, as people know it. */
  readonly name: string
  source(): Promise<string>
  /** The source map, JSON, when the build keeps one. */
  map?(): Promise<string>
  /** In a dev server: equal for versions whose stubs differ in nothing but the code behind them. */
  readonly shape?: string
}

// All stubs of one bundle share its code, so that it is sent once.
const known = new Map<string, { readonly bundle: ModuleBundle; readonly code: Code }>()

/** The code of a bundle; the same one for every stub of it. */
export function codeOf(bundle: ModuleBundle): Code {
  const found = known.get(bundle.hash)
  if (found !== undefined) return found.code
  const { name } = bundle
  const code: Code = {
    kind: 'later',
    name,
    load: async () => ({ type: 'module', name, source: await bundle.source() }),
  }
  known.set(bundle.hash, { bundle, code })
  return code
}

/** The bundle whose hash begins with these digits, as stacks name it. */
export function bundleOfVersion(version: string): ModuleBundle | undefined {
  for (const [hash, { bundle }] of known) if (hash.startsWith(version)) return bundle
  return undefined
}
