import { ActorClass, RemoteFunction } from '@shoal/core-worker'
import type { ActorOptions, Arity, Code, TaskOptions } from '@shoal/core-worker'
import { mustSession } from './current-session.ts'

/** What a bundler plugin makes of a `*.remote.ts`: its text, fetched when it is first used. */
export interface ModuleBundle {
  readonly hash: string
  readonly name: string
  source(): Promise<string>
  map?(): Promise<string>
}

// All stubs of one bundle share its code, so that it is sent once.
const codes = new Map<string, Code>()

function codeOf(bundle: ModuleBundle): Code {
  let code = codes.get(bundle.hash)
  if (code === undefined) {
    const { name } = bundle
    code = { kind: 'later', name, load: async () => ({ type: 'module', name, source: await bundle.source() }) }
    codes.set(bundle.hash, code)
  }
  return code
}

/** A remote function of a remote module, as its stub exports it. Written by the plugin, not by hand. */
export function moduleFunction(
  bundle: ModuleBundle,
  exportName: string,
  details: { readonly options?: TaskOptions; readonly generator?: boolean; readonly arity?: Arity },
): RemoteFunction {
  const options = details.options ?? {}
  const identity = { code: codeOf(bundle), exportName, name: options.name ?? exportName, arity: details.arity }
  return new RemoteFunction(identity, options, () => mustSession().core)
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
  return new ActorClass(identity, details.options ?? {}, () => mustSession().core)
}
