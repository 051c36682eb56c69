import { ActorClass, RemoteFunction } from '@shoal/core-worker'
import type { ActorOptions, Arity, Code, TaskOptions } from '@shoal/core-worker'
import { mustSession } from './current-session.ts'
import { codeOf } from './module-bundles.ts'
import type { ModuleBundle } from './module-bundles.ts'

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
  const identity = {
    code: codeOf(bundle),
    exportName,
    name: options.name ?? exportName,
    arity: details.arity,
    ...(details.generator === true && { isGenerator: true }),
  }
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
  const methods = details.methods.map((name, index) => ({
    name,
    arity: details.arities?.[index],
    ...(details.generators?.includes(name) === true && { isGenerator: true }),
  }))
  const identity = { code: codeOf(bundle), exportName, name: exportName, arity: details.arity, methods }
  return new ActorClass(keepHandle(bundle, identity), details.options ?? {}, () => mustSession().core)
}
