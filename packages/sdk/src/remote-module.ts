import { ActorClass, RemoteFunction } from '@shoal/core-worker'
import type { ActorOptions, Arity, Code, TaskOptions } from '@shoal/core-worker'
import { mustSession } from './current-session.ts'

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

function codeOf(bundle: ModuleBundle): Code {
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

// What the handles of a bundle name; kept where a hot update may come, which the bundle's `shape` says.
const handlesOf = new WeakMap<ModuleBundle, { code: Code }[]>()

function keepHandle<T extends { code: Code }>(bundle: ModuleBundle, identity: T): T {
  if (bundle.shape === undefined) return identity
  const handles = handlesOf.get(bundle)
  if (handles === undefined) handlesOf.set(bundle, [identity])
  else handles.push(identity)
  return identity
}

/**
 * A hot update: handles of `previous` and of what it replaced run `next` from now on. Tasks that were submitted, and
 * actors, keep the code that they have. Written by the plugin, not by hand.
 *
 * @returns false, and changes nothing, when the two export different things, so that the page has to be told.
 */
export function replaceBundle(previous: ModuleBundle | undefined, next: ModuleBundle): boolean {
  if (previous === undefined) return true
  if (previous.shape !== next.shape) return false
  const code = codeOf(next)
  for (const identity of handlesOf.get(previous) ?? []) {
    identity.code = code
    keepHandle(next, identity)
  }
  return true
}

/** A remote function of a remote module, as its stub exports it. Written by the plugin, not by hand. */
export function moduleFunction(
  bundle: ModuleBundle,
  exportName: string,
  details: { readonly options?: TaskOptions; readonly generator?: boolean; readonly arity?: Arity },
): RemoteFunction {
  const options = details.options ?? {}
  const identity = { code: codeOf(bundle), exportName, name: options.name ?? exportName, arity: details.arity }
  return new RemoteFunction(keepHandle(bundle, identity), options, () => mustSession().core)
}

/** An actor class of a remote module, as its stub exports it. Written by the plugin, not by hand. */
export function moduleActor(
  bundle: ModuleBundle,
  exportName: string,
  details: {
    readonly options?: ActorOptions
    readonly methods: readonly string[]
    readonly generators?: readonly string[]
    /** The constructor's, and the methods' in their order. */
    readonly arity?: Arity
    readonly arities?: readonly Arity[]
  },
): ActorClass {
  const methods = details.methods.map((name, index) => ({ name, arity: details.arities?.[index] }))
  const identity = { code: codeOf(bundle), exportName, name: exportName, arity: details.arity, methods }
  return new ActorClass(keepHandle(bundle, identity), details.options ?? {}, () => mustSession().core)
}
